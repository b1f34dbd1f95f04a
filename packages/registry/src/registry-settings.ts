/** What the variables of a process say about a registry, whether a server or a function serves it. */
import { invalid, readFileText } from 'siltstone/internal'
import type { Quota } from './accounts/account-documents.ts'
import type { Gate } from './registry.ts'
import type { SourcesOptions } from './sources/sources.ts'

export type Variables = Readonly<Record<string, string | undefined>>

export interface RegistrySettings {
  sources: Pick<SourcesOptions, 'hub' | 'github'>
  gate: Gate | undefined
  quota: Quota | undefined
  /** Large files are downloaded from the bucket itself, by links that the registry signs. */
  directDownloads: boolean
  /** Large files are uploaded to the bucket itself, by links that the registry signs. */
  directUploads: boolean
}

/** @throws SiltstoneError `invalid` (bad-gate, bad-quota, bad-switch) */
export function registrySettings(variables: Variables): RegistrySettings {
  return {
    sources: { hub: hubOf(variables), github: githubOf(variables) },
    gate: gateOf(variables['REGISTRY_GATE']),
    quota: quotaOf(variables),
    directDownloads: switchOf(variables, 'REGISTRY_DIRECT_DOWNLOADS', true),
    directUploads: switchOf(variables, 'REGISTRY_DIRECT_UPLOADS', true),
  }
}

export const adminName = (variables: Variables): string => variables['REGISTRY_ADMIN_USER'] || 'admin'

/**
 * The first admin: `REGISTRY_ADMIN_USER` with `REGISTRY_ADMIN_PASSWORD`, or with the text of the file `REGISTRY_ADMIN_PASSWORD_FILE`.
 * @returns undefined without a password
 */
export async function configuredAdmin(variables: Variables): Promise<{ name: string; password: string } | undefined> {
  const file = variables['REGISTRY_ADMIN_PASSWORD_FILE']
  const password =
    variables['REGISTRY_ADMIN_PASSWORD'] || (file ? (await readFileText(file)).replace(/\r?\n$/, '') : '')
  return password === '' ? undefined : { name: adminName(variables), password }
}

/** @param keepDays days after which versions are forgotten that no branch and no tag names; 0: never */
export function upkeepOf({ gcHours = 0, keepDays = 0 }: { gcHours?: number; keepDays?: number }) {
  if (gcHours === 0) return undefined
  return { everyMs: gcHours * 3_600_000, ...(keepDays > 0 && { keepMs: keepDays * 86_400_000 }) }
}

/** Where models and datasets come from. `HF_ENDPOINT` is not used: on a client's machine it names this registry. */
function hubOf(variables: Variables) {
  const url = variables['REGISTRY_HUB_URL']
  const token = variables['HF_TOKEN']
  return { ...(url && { url }), ...(token && { token }) }
}

function githubOf(variables: Variables) {
  const url = variables['REGISTRY_GITHUB_URL']
  const apiUrl = variables['REGISTRY_GITHUB_API_URL']
  const token = variables['GITHUB_TOKEN']
  return { ...(url && { url }), ...(apiUrl && { apiUrl }), ...(token && { token }) }
}

/** The eight metrics of the first phase of the contract, each at least one half. */
const ECE461 = {
  ramp_up_time: 0.5,
  bus_factor: 0.5,
  performance_claims: 0.5,
  license: 0.5,
  size_score: 0.5,
  dataset_and_code_score: 0.5,
  dataset_quality: 0.5,
  code_quality: 0.5,
}
const GATED = new Set([...Object.keys(ECE461), 'net_score', 'reproducibility', 'reviewedness', 'tree_score'])

/** `ece461`, or `net_score=0.4,license=0.5`. @throws SiltstoneError `invalid` (bad-gate) */
export function gateOf(text: string | undefined): Record<string, number> | undefined {
  if (text === undefined || text === '') return undefined
  if (text === 'ece461') return ECE461
  const entries = text.split(',').map((part) => {
    const [name = '', value = ''] = part.split('=').map((each) => each.trim())
    const least = Number(value)
    if (GATED.has(name) && value !== '' && least >= 0 && least <= 1) return [name, least] as const
    throw invalid('bad-gate', `REGISTRY_GATE has "${part}": give ece461, or pairs such as net_score=0.4,license=0.5`, {
      field: 'REGISTRY_GATE',
    })
  })
  return Object.fromEntries(entries)
}

/** @throws SiltstoneError `invalid` (bad-switch) */
function switchOf(variables: Variables, name: string, standard: boolean): boolean {
  const text = variables[name] ?? ''
  if (text === '') return standard
  if (/^(?:1|true|yes|on)$/i.test(text)) return true
  if (/^(?:0|false|no|off)$/i.test(text)) return false
  throw invalid('bad-switch', `${name} is "${text.slice(0, 50)}": give 1 or 0`, { field: name })
}

/** @throws SiltstoneError `invalid` (bad-quota) */
function quotaOf(variables: Variables): Quota | undefined {
  const [artifacts, bytes] = ['REGISTRY_QUOTA_ARTIFACTS', 'REGISTRY_QUOTA_BYTES'].map((name) => {
    const text = variables[name] ?? ''
    if (text === '') return null
    if (/^\d{1,15}$/.test(text)) return Number(text)
    throw invalid('bad-quota', `${name} is "${text.slice(0, 50)}": give a whole number`, { field: name })
  })
  return artifacts == null && bytes == null ? undefined : { artifacts: artifacts ?? null, bytes: bytes ?? null }
}
