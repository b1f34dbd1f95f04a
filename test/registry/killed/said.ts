/** What a participant says. */
export type Said =
  | { kind: 'registered'; id: string; source: string }
  | { kind: 'touching' | 'deleting' | 'deleted' | 'moving'; id: string }
  | { kind: 'moved'; id: string; source: string }
  | { kind: 'committed'; id: string; oid: string }
  | { kind: 'call' | 'refused' }
