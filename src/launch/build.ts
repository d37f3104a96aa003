/** Which code this is, so that `up` after an upgrade starts the server anew: a digest of every source file and of the packages' versions. */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export function readBuild(root = ROOT): string {
  const files = ['package-lock.json', ...globSync('src/**/*.{ts,sh,py}', { cwd: root, exclude: ['**/*.test.ts', '**/*.suite.ts'] }).sort()]
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(root, file))).update('\0')
  return hash.digest('hex').slice(0, 16)
}
