/** Settings of the built-in processors. */
export interface ProcessorSettings {
  /**
   * Path of ffmpeg. Otherwise the variable `SILTSTONE_FFMPEG` names it, or it is looked for on `PATH`, and then the
   * package `@ffmpeg/core` (WebAssembly, slower) is taken where it is installed. `wasm`: that package. `false`: do as if there
   * were none.
   */
  ffmpeg?: string | false
}
