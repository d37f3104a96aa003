/**
 * Where a home's machines and disks are in Incus: in a private daemon of its own, or in a project and a storage pool of its own of a
 * daemon that was there before.
 *
 * Invariant: in another's daemon everything of a home lies in its project and its pool, whose names its slot decides.
 */
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import { IncusError, openClient, unixTransport, type Client } from '#engine/incus/client'

export type Existing = NonNullable<Home['incus']>

/** The daemon's own directory. */
export const incusDir = (home: Home): string => home.incus?.dir ?? join(home.dir, 'incus')
export const socketOf = (home: Home): string => home.incus?.socket ?? join(incusDir(home), 'unix.socket')
export const projectOf = (home: Home): string => (home.incus ? `enclume-${home.slot}` : 'default')
export const poolOf = (home: Home): string => (home.incus ? `enclume-${home.slot}` : 'pool')

/** What the daemon calls a volume or an instance in its directories and to LXC. */
export const volumeDir = (home: Home, name: string): string =>
  join(incusDir(home), 'storage-pools', poolOf(home), 'custom', `${projectOf(home)}_${name}`)
export const lxcName = (home: Home, id: string): string => (home.incus ? `${projectOf(home)}_${id}` : id)
/** How the title of a monitor of the home's containers begins. */
export const monitorTitle = (home: Home): string =>
  `[lxc monitor] ${incusDir(home)}/containers ${home.incus ? `${projectOf(home)}_` : ''}`

/** A client of the home's daemon, within the home's project; asks nothing yet. */
export function daemonClient(home: Home): Client {
  const client = openClient(unixTransport(socketOf(home)), poolOf(home))
  if (!home.incus) return client
  const within = (path: string) => `${path}${path.includes('?') ? '&' : '?'}project=${projectOf(home)}`
  return {
    pool: client.pool,
    get: path => client.get(within(path)),
    find: path => client.find(within(path)),
    act: (method, path, body) => client.act(method, within(path), body),
    messages: (path, each, signal) => client.messages(within(path), each, signal),
  }
}

type Server = { auth: string; environment: { server: string; server_pid: number; server_version: string; server_clustered: boolean } }

/**
 * What `url` (`unix:PATH`, or the path alone) names, once it has been looked at. Throws with what to do where it can't serve: disks are files
 * that this host mounts, so the daemon must run here, alone and visible.
 */
export async function existingIncus(url: string): Promise<Existing> {
  if (/^https?:/.test(url)) {
    throw new Error('an Incus on another machine can\'t be used yet: disks are files that this host mounts. Name a socket: unix:PATH')
  }
  const socket = url.replace(/^unix:(\/\/)?/, '')
  if (!existsSync(socket)) throw new Error(`there is no socket ${socket}: is that Incus running?`)
  const { auth, environment } = await openClient(unixTransport(socket)).get<Server>('/1.0')
  const { server, server_pid: pid, server_version: version, server_clustered: clustered } = environment
  if (server !== 'incus' || Number.parseInt(version, 10) < 6) throw new Error(`${socket} is ${server} ${version}: Incus 6.0 or newer is needed`)
  if (auth !== 'trusted') throw new Error(`${socket} does not trust this user: its administrators' socket is needed`)
  if (clustered) throw new Error('a member of an Incus cluster can\'t be used yet: disks must lie on this host')
  return { socket, dir: directoryOf(pid) }
}

/** Only the daemon's own process knows its directory. */
function directoryOf(pid: number): string {
  if (!existsSync(`/proc/${pid}/exe`)) throw new Error('that Incus runs out of sight of this host (in a container?): it can\'t be used')
  if (readlinkSync(`/proc/${pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt')) {
    throw new Error('that Incus mounts its pools out of sight of this host: it can\'t be used')
  }
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  return environment.find(entry => entry.startsWith('INCUS_DIR='))?.slice('INCUS_DIR='.length) || '/var/lib/incus'
}

/** The home's project in another's daemon, made unless it is there. Its volumes are its own; networks it has none. */
export async function makeProject(home: Home): Promise<void> {
  if (!home.incus) return
  const client = openClient(unixTransport(socketOf(home)))
  const name = projectOf(home)
  if (await client.find(`/1.0/projects/${name}`)) return
  await client.act('POST', '/1.0/projects', {
    name, description: `Enclume in ${home.dir}`,
    config: { 'features.images': 'true', 'features.profiles': 'true', 'features.storage.volumes': 'true', 'features.networks': 'false' },
  })
}

/** Removes all that the home has in another's daemon: instances, volumes, images, pool and project. Idempotent. */
export async function leaveExisting(home: Home): Promise<void> {
  if (!home.incus) return
  const client = daemonClient(home)
  const whole = openClient(unixTransport(socketOf(home)))
  if (await whole.find(`/1.0/projects/${projectOf(home)}`)) {
    for (const { name, status } of await client.get<{ name: string; status: string }[]>('/1.0/instances?recursion=1')) {
      const path = `/1.0/instances/${encodeURIComponent(name)}`
      if (status !== 'Stopped') await client.act('PUT', `${path}/state`, { action: 'stop', force: true })
      await client.act('DELETE', path)
    }
    const volumes = `/1.0/storage-pools/${poolOf(home)}/volumes/custom`
    for (const { name } of await client.find<{ name: string }[]>(`${volumes}?recursion=1`) ?? []) {
      await client.act('DELETE', `${volumes}/${encodeURIComponent(name)}`)
    }
    for (const { fingerprint } of await client.get<{ fingerprint: string }[]>('/1.0/images?recursion=1')) {
      await client.act('DELETE', `/1.0/images/${fingerprint}`)
    }
  }
  await unlessGone(whole.act('DELETE', `/1.0/storage-pools/${poolOf(home)}`))
  await unlessGone(whole.act('DELETE', `/1.0/projects/${projectOf(home)}`))
}

async function unlessGone(act: Promise<void>): Promise<void> {
  try {
    await act
  } catch (error) {
    if (!(error instanceof IncusError) || error.status !== 404) throw error
  }
}
