/** The random signs of the rotation: a function of the seed and the padded dimension that no version may change. */

/** The next multiple of 64: the kernels and the codes work on such dimensions only. */
export function paddedDimension(dimension: number): number {
  return Math.ceil(dimension / 64) * 64
}

/**
 * u8[3 × dimension / 8], least significant bit first: bit d of round r tells whether dimension d changes its sign. Bits
 * come from splitmix64 (Steele, Lea, Flood, OOPSLA 2014), each output little-endian.
 * @param dimension padded
 */
export function rotationSigns(seed: number, dimension: number): Uint8Array {
  const signs = new Uint8Array((3 * dimension) / 8)
  const view = new DataView(signs.buffer)
  const mask = 0xffff_ffff_ffff_ffffn
  let state = BigInt(seed)
  for (let at = 0; at < signs.length; at += 8) {
    state = (state + 0x9e37_79b9_7f4a_7c15n) & mask
    let z = state
    z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & mask
    z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & mask
    view.setBigUint64(at, z ^ (z >> 31n), true)
  }
  return signs
}
