/** The kernels that a search needs: pages load no others. */
export { buildTable } from './codes'
export { dotF32, squaredDistancesF32 } from './floats'
export { dotI8, quantizeI16 } from './integers'
export { rotate } from './rotation'
export { scanCodes } from './scan'
