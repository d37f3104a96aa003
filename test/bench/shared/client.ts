/** What benchmarks of a real Enclume ask it with, and how they see that an instance is there. */
import { connect } from 'node:net'
import { EC2Client } from '@aws-sdk/client-ec2'
import { readCredentials } from '#launch/credentials'
import type { Enclume } from '../../e2e/enclume.ts'

/** A client that does not try again: what fails is seen. */
export function clientOf({ home }: Enclume): EC2Client {
  const { accessKeyId, secretAccessKey } = readCredentials(home)
  return new EC2Client({
    endpoint: `http://127.0.0.1:${home.port}`, region: home.region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1,
  })
}

/** Whether sshd greets. */
export const greets = (host: string): Promise<boolean> => new Promise(resolve => {
  const socket = connect({ host, port: 22, timeout: 500 })
  const done = (yes: boolean) => { socket.destroy(); resolve(yes) }
  socket.once('data', () => done(true)).once('error', () => done(false)).once('timeout', () => done(false)).once('close', () => done(false))
})

export const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!
