/** How the console is built: from this directory alone, into files that need nothing from elsewhere. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // Inlined assets would be data: addresses in script, which the page's policy need not allow.
  build: { assetsInlineLimit: 0, target: 'es2023', emptyOutDir: true, chunkSizeWarningLimit: 2000 },
})
