/** The processors of this package, those with the surest signs first. */
import { emailProcessor } from './email/email-processor.ts'
import { imageProcessor } from './image/image-processor.ts'
import { mediaProcessor } from './media/media-processor.ts'
import { pdfProcessor } from './pdf/pdf-processor.ts'
import type { Processor } from './processor.ts'
import type { ProcessorSettings } from './settings.ts'
import { htmlProcessor } from './text/html-processor.ts'
import { subtitleProcessor } from './text/subtitle-processor.ts'
import { textProcessor } from './text/text-processor.ts'
import { officeProcessor } from './zip/office-processor.ts'

/** All processors, to be run in the caller's process. `isolatedProcessors` runs them in processes with limits. */
export function builtInProcessors(settings: ProcessorSettings = {}): Processor[] {
  const documents = [
    pdfProcessor,
    officeProcessor,
    imageProcessor,
    mediaProcessor(settings),
    htmlProcessor,
    subtitleProcessor,
    textProcessor,
  ]
  return [...documents, emailProcessor(documents)]
}
