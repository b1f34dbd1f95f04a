/** EXIF: the fields of a TIFF structure (TIFF 6.0, Exif 2.32), as photographs carry it. */
export interface ExifFields {
  [name: string]: string | number
}

const TAGS: Record<number, string> = {
  0x010e: 'description',
  0x010f: 'make',
  0x0110: 'model',
  0x0112: 'orientation',
  0x0131: 'software',
  0x013b: 'artist',
  0x8298: 'copyright',
  0x829a: 'exposure_seconds',
  0x829d: 'f_number',
  0x8827: 'iso',
  0x9003: 'taken_at',
  0x920a: 'focal_length_mm',
  0xa434: 'lens',
}
const EXIF_IFD = 0x8769
const GPS_IFD = 0x8825
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]
const MAX_FIELDS = 512

/** @returns the fields that are known and well-formed; {} for a structure that is damaged from its beginning on */
export function exifFields(bytes: Uint8Array): ExifFields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < 8) return {}
  const isLittle = view.getUint16(0) === 0x4949
  const fields: ExifFields = {}
  const gps = new Map<number, string | number[]>()
  const read = (offset: number, isGps: boolean, depth: number): void => {
    if (offset + 2 > bytes.length || depth > 2) return
    const count = Math.min(view.getUint16(offset, isLittle), MAX_FIELDS)
    for (let at = offset + 2; at + 12 <= bytes.length && at < offset + 2 + count * 12; at += 12) {
      const tag = view.getUint16(at, isLittle)
      const value = valueOf(view, at, isLittle)
      if (value === undefined) continue
      if (isGps) gps.set(tag, value)
      else if ((tag === EXIF_IFD || tag === GPS_IFD) && typeof value[0] === 'number')
        read(value[0], tag === GPS_IFD, depth + 1)
      else {
        const name = TAGS[tag]
        const single = typeof value === 'string' ? value : value[0]
        if (name !== undefined && single !== undefined && single !== '') fields[name] = single
      }
    }
  }
  read(view.getUint32(4, isLittle), false, 0)
  const latitude = degrees(gps.get(2), gps.get(1))
  const longitude = degrees(gps.get(4), gps.get(3))
  if (latitude !== undefined && longitude !== undefined) Object.assign(fields, { latitude, longitude })
  if (typeof fields['taken_at'] === 'string')
    fields['taken_at'] = fields['taken_at'].replace(/^(\d{4}):(\d\d):(\d\d) /, '$1-$2-$3T')
  return fields
}

function valueOf(view: DataView, at: number, isLittle: boolean): string | number[] | undefined {
  const type = view.getUint16(at + 2, isLittle)
  const count = view.getUint32(at + 4, isLittle)
  const sizeBytes = (TYPE_BYTES[type] ?? 0) * count
  const offset = sizeBytes <= 4 ? at + 8 : view.getUint32(at + 8, isLittle)
  if (sizeBytes === 0 || offset + sizeBytes > view.byteLength) return undefined
  if (type === 2) {
    const text = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + offset, count))
    return text.split('\0')[0]?.trim() ?? ''
  }
  const step = TYPE_BYTES[type] as number
  return Array.from({ length: Math.min(count, 16) }, (_, k) => numberOf(view, offset + k * step, type, isLittle))
}

function numberOf(view: DataView, at: number, type: number, isLittle: boolean): number {
  if (type === 3) return view.getUint16(at, isLittle)
  if (type === 4) return view.getUint32(at, isLittle)
  if (type === 8) return view.getInt16(at, isLittle)
  if (type === 9) return view.getInt32(at, isLittle)
  if (type === 5) return view.getUint32(at, isLittle) / view.getUint32(at + 4, isLittle)
  if (type === 10) return view.getInt32(at, isLittle) / view.getInt32(at + 4, isLittle)
  if (type === 11) return view.getFloat32(at, isLittle)
  if (type === 12) return view.getFloat64(at, isLittle)
  return view.getUint8(at)
}

/** Degrees, minutes and seconds, with a letter for the direction. */
function degrees(value: string | number[] | undefined, direction: string | number[] | undefined): number | undefined {
  if (!Array.isArray(value) || value.length < 3) return undefined
  const [whole = 0, minutes = 0, seconds = 0] = value
  const sum = whole + minutes / 60 + seconds / 3600
  if (!Number.isFinite(sum) || sum > 180) return undefined
  const isNegative = direction === 'S' || direction === 'W'
  return Number((isNegative ? -sum : sum).toFixed(6))
}
