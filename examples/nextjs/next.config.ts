import type { NextConfig } from 'next'

export default {
  // The library loads its kernels and its model from its own folder, so it must not be bundled.
  serverExternalPackages: ['siltstone'],
} satisfies NextConfig
