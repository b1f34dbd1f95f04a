/** The name changed to satisfy the rules of Chroma's API: other characters become `-`. */
export function targetName(name: string): string {
  const fitting = name
    .replaceAll(/[^a-zA-Z0-9._-]/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replaceAll(/^[._-]+|[._-]+$/g, '')
    .slice(0, 512)
    .replaceAll(/[._-]+$/g, '')
  return fitting.padEnd(3, '0')
}
