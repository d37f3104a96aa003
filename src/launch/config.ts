/**
 * What was chosen for a home, remembered in its config.json: slot, ports, region, room.
 *
 * Invariant: the file is replaced whole, so a reader sees the old choices or the new ones.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isRegion } from '#base/region'
import { homeAt, SLOTS, type Home } from '#base/home'
import { readNumber, readSizeGiB, readSwitch, type Args } from '#launch/args'
import { Failure, misuse } from '#launch/failure'
import type { Outside } from '#launch/outside'
import { DEFAULT_HOME } from '#launch/slots'

export type Config = {
  slot: number; port: number; consolePort: number; region: string; diskGiB: number; incus?: Home['incus']
  unthrottled?: boolean; apiThrottle?: boolean
  outside?: Outside
}

/** Which home the command line or the environment means. Plain characters alone: the path ends up in other programs' configuration. */
export function homeDirOf(args: Pick<Args, 'options'>, env: NodeJS.ProcessEnv = process.env): string {
  const dir = resolve((args.options.home as string | undefined) ?? (env.ENCLUME_HOME || DEFAULT_HOME))
  if (!/^\/[\w@+./-]+$/.test(dir)) throw misuse(`a home's path may hold letters, digits and @+._-/ alone, not '${dir}'`)
  return dir
}

const file = (dir: string): string => join(dir, 'config.json')

/** The choices of a home that has been set up, else undefined. */
export function findConfig(dir: string): Config | undefined {
  if (!existsSync(file(dir))) return undefined
  try {
    return JSON.parse(readFileSync(file(dir), 'utf8')) as Config
  } catch (error) {
    throw new Failure(`${file(dir)} is not JSON; mend it or reset`, 1, { cause: error })
  }
}

/** Writes a file whole or not at all, for root alone unless said otherwise. */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  writeFileSync(`${path}.new`, text, { mode, flush: true })
  renameSync(`${path}.new`, path)
}

export function writeConfig(dir: string, config: Config): void {
  mkdirSync(dir, { recursive: true, mode: 0o711 })
  writeWhole(file(dir), `${JSON.stringify(config, null, 2)}\n`, 0o644)
}

/** The layout of a home that has been set up. The server starts from this too. Throws when it has not. */
export function getHome(dir: string): Home {
  const config = findConfig(dir)
  if (!config) throw new Failure(`there is no Enclume in ${dir}. Start one: ./enclume up`)
  return homeAt({ dir, ...config })
}

/** `outside`: null where it shall be closed. */
export type Choices = Partial<Omit<Config, 'incus' | 'outside'>> & { incus?: string; outside?: Outside | null }

/** The options of `up`, checked. */
export function readChoices({ options }: Pick<Args, 'options'>): Choices {
  const text = (name: string) => options[name] as string | undefined
  const choices: Choices = {}
  const number = (name: string, bounds: { least: number; most: number }) =>
    (text(name) === undefined ? undefined : readNumber(name, text(name)!, bounds))
  choices.slot = number('slot', { least: 0, most: SLOTS - 1 })
  choices.port = number('port', { least: 1, most: 65535 })
  choices.consolePort = number('console-port', { least: 1, most: 65535 })
  if (text('disk') !== undefined) choices.diskGiB = readSizeGiB('disk', text('disk')!)
  if (text('incus') !== undefined) choices.incus = text('incus')!
  if (text('region') !== undefined) {
    if (!isRegion(text('region')!)) throw misuse(`--region takes a name such as eu-west-3, not '${text('region')}'`)
    choices.region = text('region')!
  }
  const throttle = readSwitch('throttle', text('throttle'))
  if (throttle !== undefined) choices.unthrottled = !throttle
  const apiThrottle = readSwitch('api-throttle', text('api-throttle'))
  if (apiThrottle !== undefined) choices.apiThrottle = apiThrottle
  return choices
}

/** What holds from now on: the new choices, else the remembered, else the defaults of the slot. */
export function settle(
  { chosen, before, slot, diskGiB, incus }:
    { chosen: Omit<Choices, 'incus'>; before: Config | undefined; slot: number; diskGiB: number; incus?: Home['incus'] },
): Config {
  if (before && chosen.diskGiB !== undefined && chosen.diskGiB !== before.diskGiB)
    throw new Failure(`the room for volumes was made with ${before.diskGiB} GiB; another size needs \`enclume reset\` first`)
  if (before && incus?.socket !== before.incus?.socket)
    throw new Failure('where instances live was chosen by the first `up`; another Incus needs `enclume reset` first')
  const outside = chosen.outside === undefined ? before?.outside : chosen.outside
  const config: Config = {
    slot,
    port: chosen.port ?? before?.port ?? 4566 + slot * 10,
    consolePort: chosen.consolePort ?? before?.consolePort ?? 4570 + slot * 10,
    region: chosen.region ?? before?.region ?? 'us-east-1',
    diskGiB: chosen.diskGiB ?? before?.diskGiB ?? diskGiB,
    ...(incus && { incus }),
    ...(outside && { outside }),
    ...((chosen.unthrottled ?? before?.unthrottled) && { unthrottled: true }),
    ...((chosen.apiThrottle ?? before?.apiThrottle) && { apiThrottle: true }),
  }
  if (config.port === config.consolePort) throw misuse(`the API and the console cannot share port ${config.port}`)
  return config
}
