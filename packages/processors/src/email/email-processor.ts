/**
 * E-mail: header, text, and attachments, which the other processors read. An attachment that cannot be read does not fail
 * the message: its step is skipped, with the reason.
 */
import { accessBytes, readAll } from '../access.ts'
import { addBlocks } from '../blocks.ts'
import { contentType } from '../detect/content-type.ts'
import { isPermanent } from '../failures.ts'
import type { FlatMetadata, ProcessContext, Processor, RandomAccess, StepSummary, Summary } from '../processor.ts'
import { chooseProcessor } from '../registry.ts'
import { Steps } from '../steps.ts'
import { type Message, messagesOf, readMessage } from './message.ts'

const MAX_BYTES = 128 * 1024 * 1024
/** Messages inside messages: the outermost one has depth 1. */
const MAX_DEPTH = 3
const MAX_ATTACHMENTS = 200

/** @param others the processors that read attachments */
export function emailProcessor(others: readonly Processor[], depth = 1): Processor {
  return {
    name: 'email',
    version: '2',
    accepts: (type, head) => (contentType(head, type) === 'message/rfc822' ? 0.95 : 0),
    process: (source, ctx) => processEmail(source, ctx, others, depth),
  }
}

async function processEmail(
  source: RandomAccess,
  ctx: ProcessContext,
  others: readonly Processor[],
  depth: number,
): Promise<Summary> {
  const steps = new Steps(ctx)
  const inner: Record<string, StepSummary> = {}
  const messages: Message[] = []
  await steps.run('text', async (recorder) => {
    const parts = messagesOf(await readAll(source, 'the message', MAX_BYTES))
    for (const [k, bytes] of parts.entries()) {
      const message = await readMessage(bytes)
      const place: FlatMetadata = parts.length > 1 ? { message: k + 1 } : {}
      messages.push(message)
      await recorder.add('container', message.header, { ...message.metadata, ...place })
      const heading = message.subject === '' ? [] : [{ text: message.subject, level: 1 }]
      const hasText = message.blocks.some(({ text }) => text.trim() !== '')
      if (hasText) await addBlocks(recorder, [...heading, ...message.blocks], place)
    }
  })
  for (const [k, reason] of messages.flatMap(({ skipped }) => skipped).entries()) steps.skip(`winmail-${k + 1}`, reason)
  const attachments = messages.flatMap((message) => message.attachments)
  for (const [k, attachment] of attachments.entries()) {
    const step = `attachment-${k + 1}`
    if (k >= MAX_ATTACHMENTS) {
      steps.skip('attachments', `only the first ${MAX_ATTACHMENTS} of ${attachments.length} attachments are read`)
      break
    }
    Object.assign(inner, await readAttachment(steps, ctx, step, attachment, others, depth))
  }
  const [first] = messages
  return {
    contentType: 'message/rfc822',
    steps: { ...steps.summaries, ...inner },
    metadata: {
      ...(messages.length === 1 && first?.metadata),
      messages: messages.length,
      attachments: attachments.length,
    },
  }
}

/** Reads an attachment with the processor of its content. @returns the steps of that processor */
async function readAttachment(
  steps: Steps,
  ctx: ProcessContext,
  step: string,
  { name, type, bytes }: Message['attachments'][number],
  others: readonly Processor[],
  depth: number,
): Promise<Record<string, StepSummary>> {
  const place: FlatMetadata = { attachment: name }
  await steps.run(step, (recorder) =>
    recorder.add('attachment', `${name} (${type === '' ? '' : `${type}, `}${bytes.length} bytes)`, place),
  )
  const source = accessBytes(bytes)
  const processors = depth < MAX_DEPTH ? [...others, emailProcessor(others, depth + 1)] : others
  try {
    const { processor } = await chooseProcessor(processors, source, type)
    const { steps: done } = await processor.process(source, {
      ...ctx,
      name,
      sibling: async () => undefined,
      heartbeat: (inner) => ctx.heartbeat(`${step}/${inner}`),
      emit: (record) =>
        ctx.emit({
          ...record,
          step: `${step}/${record.step}`,
          metadata: { ...record.metadata, ...nested(place, record.metadata) },
        }),
      putDerived: (file, data, contentType) => ctx.putDerived(`${step}-${file}`, data, contentType),
    })
    return Object.fromEntries(Object.entries(done).map(([inner, summary]) => [`${step}/${inner}`, summary]))
  } catch (error) {
    if (!isPermanent(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    return { [`${step}/content`]: { state: 'skipped', reason } }
  }
}

/** `attachment` of something inside an attachment is the path from the outermost message. */
const nested = (place: FlatMetadata, inner: FlatMetadata): FlatMetadata =>
  inner['attachment'] === undefined ? place : { attachment: `${place['attachment']}/${inner['attachment']}` }
