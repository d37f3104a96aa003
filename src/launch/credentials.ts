/**
 * The root keys of the account, and the ways to hand them to AWS tools.
 *
 * Invariant: the server makes the keys; they are only ever read here, and written only into files that root alone can read.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Args } from '#launch/args'
import { getHome, homeDirOf, writeWhole } from '#launch/config'
import { Failure } from '#launch/failure'
import { endpoint } from '#launch/server'

export type RootCredentials = { accessKeyId: string; secretAccessKey: string; account: string }

const fileOf = (home: Home): string => join(home.dir, 'root-credentials.json')

/** Whether the server has made the keys. */
export const hasCredentials = (home: Home): boolean => existsSync(fileOf(home))

export function readCredentials(home: Home): RootCredentials {
  const file = fileOf(home)
  if (!existsSync(file)) throw new Failure(`${file} is not there yet: the server makes it at its first start. Run: ./enclume up`)
  return JSON.parse(readFileSync(file, 'utf8')) as RootCredentials
}

const profile = (home: Home) => ({ credentials: join(home.dir, 'aws', 'credentials'), config: join(home.dir, 'aws', 'config') })

/** A profile `enclume` in files of its own: nobody's ~/.aws is touched. */
export function writeProfile(home: Home): void {
  const { accessKeyId, secretAccessKey } = readCredentials(home)
  const files = profile(home)
  mkdirSync(join(home.dir, 'aws'), { recursive: true, mode: 0o700 })
  writeWhole(files.credentials, `[enclume]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`)
  writeWhole(files.config, `[profile enclume]\nregion = ${home.region}\nendpoint_url = ${endpoint(home)}\n`)
}

const quoted = (text: string): string => (/^[\w:/.@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** Lines for `eval`. A session token or profile of the caller's own would win over the keys, so they are unset. */
export function exports(home: Home): string {
  const { accessKeyId, secretAccessKey } = readCredentials(home)
  const files = profile(home)
  const variables = {
    AWS_ENDPOINT_URL: endpoint(home), AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: home.region, AWS_REGION: home.region,
  }
  return [
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`),
    'unset AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE',
    '# Or, without the variables above, a profile of its own:',
    `#   export AWS_SHARED_CREDENTIALS_FILE=${files.credentials} AWS_CONFIG_FILE=${files.config} AWS_PROFILE=enclume`,
  ].join('\n')
}

export function env(args: Args): number {
  console.log(exports(getHome(homeDirOf(args))))
  return 0
}
