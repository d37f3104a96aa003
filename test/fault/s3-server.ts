/** A server in a process of its own, over a home that outlives it: to be killed. Says where it listens. */
import { openServer } from '../conformance/server.ts'

const server = await openServer({ dir: process.argv[2]! })
process.stdout.write(`${server.url}\n`)
