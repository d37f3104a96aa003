/**
 * A program: listens at a port of the namespace that it is started in, and hands the socket to its parent, which lives in another.
 *
 * Invariant: it answers nobody, and ends when its parent has the socket, or is gone.
 */
import { createServer } from 'node:net'

const server = createServer(socket => socket.destroy())
process.once('disconnect', () => process.exit())
server.listen({ host: '0.0.0.0', port: Number(process.argv[2]) }, () => process.send!('listening', server))
