/** `enclume status`: what runs, from the server's own word and the host's facts. Exit code 0 running, 3 stopped (as systemctl has it). */
import { hostAddress } from '#base/home'
import type { Args } from '#launch/args'
import { findConfig, getHome, homeDirOf } from '#launch/config'
import type { DaemonStatus, Host } from '#launch/host'
import { outsideEndpoint } from '#launch/outside'
import { endpoint, findHealth, findServer, type Health } from '#launch/server'

const STOPPED = 3

export type Status = {
  home: string
  running: boolean
  slot?: number
  region?: string
  endpoint?: string
  /** Where other machines reach it, by `up --bind`. */
  outside?: string
  /** Whether requests to EC2 are throttled. */
  apiThrottle?: boolean
  /** The host's own address as instances see it: what to allow for SSH. */
  address?: string
  /** The server's process; absent when it does not run. */
  pid?: number
  /** Absent when the engine's state cannot be learnt. */
  engine?: DaemonStatus & { error?: string }
  /** As the server says; absent while it does not answer. */
  server?: Omit<Health, 'status'>
}

export async function status(args: Args, host: Host): Promise<number> {
  const seen = await look(homeDirOf(args), host)
  console.log(args.options.json ? JSON.stringify(seen, null, 2) : inWords(seen))
  return seen.running ? 0 : STOPPED
}

async function look(dir: string, host: Host): Promise<Status> {
  if (!findConfig(dir)) return { home: dir, running: false }
  const home = getHome(dir)
  const { outside } = findConfig(dir)!
  const pid = findServer(home)?.pid
  const health = pid === undefined ? undefined : await findHealth(home)
  const engine = await host.daemonStatus(home).catch((error: unknown) => ({ running: false, error: (error as Error).message }))
  const { status: _ok, ...server } = health ?? { status: 'ok' }
  return {
    home: dir, running: health !== undefined, slot: home.slot, region: home.region, endpoint: endpoint(home),
    ...(outside && { outside: outsideEndpoint(outside, home.port) }), apiThrottle: home.apiThrottle ?? false, address: hostAddress(home),
    ...(pid === undefined ? {} : { pid }), engine, ...(health ? { server: server as Omit<Health, 'status'> } : {}),
  }
}

export function inWords({ home, running, endpoint, outside, apiThrottle, address, region, pid, engine, server }: Status): string {
  if (!endpoint) return `There is no Enclume in ${home}.`
  const rows: [string, string | undefined][] = [
    ['Enclume', running ? 'running' : pid === undefined ? 'stopped' : 'not answering'],
    ['home', home], ['endpoint', endpoint], ['others', outside], ['region', region], ['this host', address && `${address}, as instances see it`],
    ['requests', apiThrottle ? 'throttled as EC2 throttles them' : undefined],
    ['server', pid === undefined ? 'stopped' : `pid ${pid}${server ? `, version ${server.version}` : ''}`],
    ['engine', engine && engineInWords(engine)],
    ['capacity', server && `${server.capacity.cpus} CPUs, ${(server.capacity.memoryMiB / 1024).toFixed(1)} GiB memory, ` +
      `${server.capacity.diskFreeGiB} of ${server.capacity.diskGiB} GiB disk free`],
    ['instances', server && counted(server.instances)],
  ]
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(10)} ${value}`])).join('\n')
}

const counted = (instances: Record<string, number>): string =>
  Object.entries(instances).filter(([, count]) => count).map(([state, count]) => `${count} ${state}`).join(', ') || 'none'

const engineInWords = ({ running, pid, version, error }: NonNullable<Status['engine']>): string =>
  error ? `unknown: ${error}` : running ? `Incus ${version ?? ''} (pid ${pid ?? 'unknown'})`.replace('  ', ' ') : 'stopped'
