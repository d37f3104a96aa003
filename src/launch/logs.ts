/** `enclume logs`: the last lines of this home's log files, and with -f those to come. */
import { spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { readNumber, type Args } from '#launch/args'
import { getHome, homeDirOf } from '#launch/config'
import { Failure, misuse } from '#launch/failure'

/** Where each part writes, below the home. */
const places: Record<string, string> = {
  server: 'log/server.log', incus: 'log/incusd.log', launch: 'log/launch.log',
}

export async function logs({ options, operands }: Args): Promise<number> {
  const home = getHome(homeDirOf({ options }))
  const lines = readNumber('lines', (options.lines as string | undefined) ?? '50', { least: 0, most: 1_000_000 })
  const unknown = operands.find(name => !Object.hasOwn(places, name))
  if (unknown) throw misuse(`logs: there is no log '${unknown}'; there are ${Object.keys(places).join(', ')}`)
  const wanted = operands.length ? operands : ['server']
  const files = wanted.flatMap(name => globSync(join(home.dir, places[name]!)).sort()).filter(existsSync)
  if (!files.length) throw new Failure(`no log yet of: ${wanted.join(', ')}`)
  // `tail -F` follows the name, so it goes on over a rotation.
  const args = ['-q', '-n', String(lines), ...(options.follow ? ['-F'] : []), ...files]
  const tail = spawn('tail', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  process.on('SIGINT', () => tail.kill())
  return new Promise((resolve, reject) => tail.on('error', reject).on('close', code => resolve(code ?? 0)))
}
