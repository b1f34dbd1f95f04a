/**
 * The primitives that an engine's standard library gives in different ways: checksums, compression, text encodings.
 * `node.ts` implements them with Node's native modules, `portable.ts` with what browsers and edge runtimes share. Both
 * export the functions of this interface by name; `#codec` (see `imports` in package.json) is the one that fits the
 * runtime, chosen by the import condition `node`. They return equal values for equal arguments (`codec.contract.ts`).
 *
 * Node's functions return `Buffer`s where they allocate: callers must not use `slice` on bytes, which copies for a
 * `Uint8Array` and does not for a `Buffer`.
 */
export interface Codec {
  /**
   * CRC-32 (ISO-HDLC, as in zlib, PNG and Python's `zlib.crc32`), an unsigned 32-bit integer.
   * @param continueFrom the CRC-32 of the bytes that come before these
   */
  crc32(bytes: Uint8Array, continueFrom?: number): number

  /**
   * One Zstandard frame (RFC 8878).
   * @param level 1 to 19; the default is fast, 19 gives the fewest bytes
   * @throws SiltstoneError `unsupported` (`compression-missing`) outside Node: only writers compress
   */
  zstdCompress(bytes: Uint8Array, level?: number): Uint8Array

  /**
   * The content of one Zstandard frame (RFC 8878); bytes that follow it are ignored.
   * @throws Error when the bytes are damaged, or their content is larger than `maxBytes`
   */
  zstdDecompress(bytes: Uint8Array, maxBytes: number): Uint8Array

  /** SHA-256 (FIPS 180-4) of the text's UTF-8: 64 lower-case hexadecimal digits. For names, not for large content. */
  sha256Hex(text: string): string

  /** Uninitialised bytes with an ArrayBuffer of their own. */
  allocate(sizeBytes: number): Uint8Array<ArrayBuffer>

  /** A lone surrogate is encoded as U+FFFD. */
  utf8Encode(text: string): Uint8Array

  /**
   * For many texts in the same bytes. The writer puts the UTF-8 of `text` at `at`, as many whole characters as fit.
   * @returns the number of bytes written, at most three for each unit of `text`
   */
  utf8Writer(into: Uint8Array): (text: string, at: number) => number

  /** Number of bytes of `utf8Encode(text)`. */
  utf8Length(text: string): number

  /** Invalid sequences become U+FFFD, as the WHATWG Encoding Standard says. A byte order mark is kept. */
  utf8Decode(bytes: Uint8Array, start?: number, end?: number): string

  /**
   * `utf8Decode` for many texts in the same bytes.
   * @param isAscii the caller knows that all of them are ASCII
   */
  utf8Reader(bytes: Uint8Array, isAscii?: boolean): (start: number, end: number) => string

  isUtf8(bytes: Uint8Array): boolean

  isAscii(bytes: Uint8Array): boolean

  /** Where `text`, which is ASCII, first occurs in `bytes`, or −1. */
  indexOfAscii(bytes: Uint8Array, text: string): number

  /** Where `text`, which is ASCII, last occurs in `bytes`, or −1. */
  lastIndexOfAscii(bytes: Uint8Array, text: string): number

  equalBytes(a: Uint8Array, b: Uint8Array): boolean

  /** With padding. */
  toBase64(bytes: Uint8Array): string

  /** Base64 or base64url, with or without padding. Characters of neither alphabet are skipped. */
  fromBase64(text: string): Uint8Array

  /** Without padding. */
  toBase64Url(bytes: Uint8Array): string

  /** Lets pending I/O and timers run before a long computation continues. */
  yieldToEventLoop(): Promise<void>
}
