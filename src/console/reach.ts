/**
 * A live event of its own: whether a port of an instance's public address answers, told until it does.
 *
 * Invariant: only an address that DescribeInstances shows to the caller is ever tried, and only at ports of web servers.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { pageCaller, type Dispatch } from '#console/credentials'
import type { Session } from '#console/sessions'
import { ApiError } from '#kit/error'

const PORTS = [80, 443]
const LOOK_MS = 2000
const CONNECT_MS = 1500

export type Reach = (request: IncomingMessage, response: ServerResponse, asked: { session: Session; query: URLSearchParams }) => Promise<void>

type Described = { Reservations: { Instances: { PublicIpAddress?: string; State: { Name: string } }[] }[] }

const answers = (host: string, port: number): Promise<boolean> => new Promise(resolve => {
  const socket = connect({ host, port, timeout: CONNECT_MS })
  const end = (open: boolean) => { socket.destroy(); resolve(open) }
  socket.once('connect', () => end(true))
  socket.once('timeout', () => end(false))
  socket.once('error', () => end(false)) // Refused or unreachable: it does not answer, and that is what is asked.
})

export const openReach = (dispatch: Dispatch): Reach => async (request, response, { session, query }) => {
  const port = Number(query.get('port'))
  if (!PORTS.includes(port)) return void response.writeHead(400).end()
  const input = { InstanceIds: [query.get('instance') ?? ''] }
  let gone = false
  response.on('close', () => { gone = true })
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  request.socket.setTimeout(0)
  while (!gone) {
    let open = false
    try {
      const caller = pageCaller(session.principal, query.get('region') ?? '')
      const found = await dispatch({ service: 'ec2', operation: 'DescribeInstances', input, caller }) as Described
      const { PublicIpAddress: ip, State: state } = found.Reservations[0]!.Instances[0]!
      if (state.Name === 'terminated') break
      open = ip !== undefined && await answers(ip, port)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      break
    }
    if (gone) break
    response.write(`event: port\ndata: ${JSON.stringify({ answers: open })}\n\n`)
    if (open) break
    await new Promise(resolve => { setTimeout(resolve, LOOK_MS).unref() })
  }
  response.end()
}
