/** `./enclume` on a host without node_modules, with an npm and a Node that only say what they were asked. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

const PINNED = 'v24.21.0'
const root = fileURLToPath(new URL('..', import.meta.url))

/** What is asked of npm and of the package `node` until the launcher hands over, where the host's own Node is `host`. */
function setUp(host: string): { asked: string[]; out: string } {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-launcher-'))
  try {
    const [home, bin, said] = [join(dir, 'enclume'), join(dir, 'bin'), join(dir, 'said')]
    for (const made of [home, bin]) mkdirSync(made)
    for (const file of ['enclume', 'package-lock.json']) copyFileSync(join(root, file), join(home, file))
    const node = (version: string) => `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || echo "${version} $*"\n`
    const script = (name: string, text: string) => writeFileSync(join(bin, name), text, { mode: 0o755 })
    writeFileSync(join(dir, 'pinned'), node(PINNED), { mode: 0o755 })
    script('node', `#!/bin/sh
[ "$1" = --version ] && { echo ${host}; exit; }
echo "own node" >> ${said}; mkdir -p bin; cp ${dir}/pinned bin/node`)
    // It knows nothing of the program that the package `node` puts beside its files.
    script('npm', `#!/bin/sh
echo "npm under $(node --version)" >> ${said}
rm -rf node_modules; mkdir -p node_modules/node; echo '  "version": "${PINNED.slice(1)}"' > node_modules/node/package.json`)
    const { status, stdout, stderr } = spawnSync(join(home, 'enclume'), ['version'], {
      env: { PATH: `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` }, encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    return { asked: readFileSync(said, 'utf8').trim().split('\n'), out: stdout }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('a new Node installs everything at once', () => {
  const { asked, out } = setUp('v24.1.0')
  assert.deepEqual(asked, ['npm under v24.1.0', 'own node'])
  assert.match(out, new RegExp(`^${PINNED} .*src/launch/main\\.ts version$`, 'm'))
})

test('under an older one npm leaves out what asks for a newer: it is run again under ours, which stays', () => {
  const { asked, out } = setUp('v18.20.4')
  assert.deepEqual(asked, ['npm under v18.20.4', 'own node', `npm under ${PINNED}`, 'own node'])
  assert.match(out, new RegExp(`^${PINNED} .*src/launch/main\\.ts version$`, 'm'))
})
