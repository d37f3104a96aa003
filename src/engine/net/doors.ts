/**
 * Ports at which this process answers: each stands in a namespace of its own, in which a socket listens that is ours.
 *
 * Invariant: a socket is kept as long as the namespace that it was made in is the port's; the caller's address is what the port's filters
 * have seen, as nothing translates it. A process that dies leaves no socket, and the next one makes them anew.
 */
import { spawn } from 'node:child_process'
import { Server } from 'node:net'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { gatewaySpace } from '#engine/net/names'
import { inside } from '#engine/net/run'
import { spaceNumber } from '#engine/net/space'
import type { Answering, NetworkSpec, PortSpec } from '#engine/port'

/** What is answered there: HTTPS. */
export const ANSWERED_PORT = 443

type Door = { number: number; close(): Promise<void> }

/** A socket that listens in a namespace. */
export function listenInside(space: string, port: number): Promise<Server> {
  const [command, ...words] = inside(space, process.execPath, join(import.meta.dirname, 'listener.ts'), String(port))
  const child = spawn(command!, words, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', text => (said += text))
  return new Promise((resolve, reject) => {
    child.on('error', cause => reject(new Error(`cannot listen in ${space}`, { cause })))
    child.on('close', code => reject(new Error(`cannot listen in ${space} (status ${code}): ${said.trim()}`)))
    child.on('message', (_, handle) => {
      if (handle instanceof Server) resolve(handle)
      else reject(new Error(`cannot listen in ${space}: no socket came`))
      child.disconnect()
    })
  })
}

export function openDoors(home: Home, log: Log) {
  const doors = new Map<string, Door>()
  let answering: Answering | undefined

  /** What is under way there may end by itself. */
  function shut(space: string): Promise<void> {
    const door = doors.get(space)
    doors.delete(space)
    return door ? door.close().catch(error => log.error('network.door', { space, error })) : Promise.resolve()
  }

  async function open(space: string, port: PortSpec): Promise<void> {
    const number = await spaceNumber(space)
    if (doors.get(space)?.number === number) return
    void shut(space)
    doors.set(space, { number, ...await answering!(port.id, await listenInside(space, ANSWERED_PORT)) })
  }

  const of = (network: number) => [...doors.keys()].filter(space => space.startsWith(gatewaySpace(home, network, 0).slice(0, -1)))

  return {
    answering(next: Answering): void { answering = next },
    /** Has a network's doors be those of its spec. Its namespaces are there. */
    async keep(spec: NetworkSpec): Promise<void> {
      const wanted = new Map(spec.ports.filter(port => port.answers).map(port => [gatewaySpace(home, spec.index, port.index), port]))
      for (const space of of(spec.index)) if (!wanted.has(space)) void shut(space)
      if (answering) for (const [space, port] of wanted) await open(space, port)
    },
    /** Of a network that goes. */
    drop(network: number): void { for (const space of of(network)) void shut(space) },
    close: async (): Promise<void> => { await Promise.all([...doors.keys()].map(shut)) },
  }
}
