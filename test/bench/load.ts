/**
 * Many instances, and many requests at once, on the fake engine: `node test/bench/load.ts`. What each of ten thousand instances costs in
 * processor time beside what each of a thousand costs; requests a second beside those that a server which only says 200 answers.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as ec2 from '@aws-sdk/client-ec2'
import { openFake } from '#engine/fake'
import { openSqlite } from '#store/sqlite'
import { openServer } from '../conformance/server.ts'

const [FEW, MANY, BATCH, TAGS] = [1000, 10_000, 1000, 10]
/** What one of many may cost of what one of few does. */
const PROMISED = 2
const [AT_ONCE, SECONDS] = [50, 3]
const ROOMS = 4 // A VPC has room for about 4,000 interfaces.

type Client = ec2.EC2Client
const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

async function roomsOf(client: Client): Promise<string[]> {
  const rooms: string[] = []
  for (let room = 1; room <= ROOMS; room++) {
    const { Vpc } = await client.send(new ec2.CreateVpcCommand({ CidrBlock: `10.${room}.0.0/16` }))
    const { Subnet } = await client.send(new ec2.CreateSubnetCommand({ VpcId: Vpc!.VpcId, CidrBlock: `10.${room}.0.0/18` }))
    rooms.push(Subnet!.SubnetId!)
  }
  return rooms
}

async function pages(client: Client, Filters?: ec2.Filter[]): Promise<string[]> {
  const ids: string[] = []
  let NextToken: string | undefined
  do {
    const page = await client.send(new ec2.DescribeInstancesCommand({ Filters, MaxResults: 1000, NextToken }))
    ids.push(...page.Reservations!.flatMap(one => one.Instances!).map(one => one.InstanceId!))
    NextToken = page.NextToken
  } while (NextToken)
  return ids
}

const inBatches = async (ids: string[], work: (some: string[]) => Promise<unknown>) => {
  for (let done = 0; done < ids.length; done += BATCH) await work(ids.slice(done, done + BATCH))
}

/** Processor seconds of each part of the lives of so many. */
async function lives(count: number): Promise<Record<string, number>> {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-load-'))
  const engine = openFake({ cpus: 64, memoryMiB: 1e8 })
  const open = async () => {
    const store = openSqlite(join(dir, 'enclume.db'))
    const server = await openServer({ engine, store, dir })
    return { server, client: server.ec2(), close: async () => { await server.close(); await store.close() } }
  }
  let { server, client, close } = await open()
  const took: Record<string, number> = {}
  const part = async (name: string, work: () => Promise<unknown>) => { took[name] = await seconds(work) }
  try {
    const ImageId = (await client.send(new ec2.DescribeImagesCommand({}))).Images![0]!.ImageId!
    const rooms = await roomsOf(client)
    await part('launched and running', async () => {
      for (let made = 0; made < count; made += BATCH) {
        await client.send(new ec2.RunInstancesCommand({
          ImageId, InstanceType: 't3.nano', MinCount: BATCH, MaxCount: BATCH, SubnetId: rooms[made / BATCH % ROOMS],
        }))
      }
      await server.cloud.loop.idle()
    })
    let ids: string[] = []
    await part('listed by pages of 1,000', async () => { ids = await pages(client) })
    if (ids.length !== count) throw new Error(`there are ${ids.length}`)
    await part(`tagged ${TAGS} times`, () => inBatches(ids, Resources => client.send(new ec2.CreateTagsCommand({
      Resources, Tags: Array.from({ length: TAGS }, (_, n) => ({ Key: `key-${n}`, Value: `value of ${n}` })),
    }))))
    await client.send(new ec2.CreateTagsCommand({ Resources: [ids[0]!], Tags: [{ Key: 'one', Value: '1' }] }))
    await part('found by a tag', () => pages(client, [{ Name: 'tag:one', Values: ['1'] }]))
    await part('swept', async () => { await server.cloud.sweep(); await server.cloud.loop.idle() })
    await part('restarted', async () => {
      await close()
      ;({ server, client, close } = await open())
      await client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [ids[0]!] }))
      await server.cloud.loop.idle()
    })
    await part('terminated', async () => {
      await inBatches(ids, InstanceIds => client.send(new ec2.TerminateInstancesCommand({ InstanceIds })))
      await server.cloud.loop.idle()
    })
    took['resident MiB'] = process.memoryUsage.rss() / 2 ** 20
    return took
  } finally {
    await close()
    rmSync(dir, { recursive: true })
  }
}

/** So many at a time, for so long. Answers how many a second; anything but an answer ends it. */
async function rate(ask: (n: number) => Promise<unknown>): Promise<number> {
  let asked = 0
  const began = performance.now()
  const one = async () => { while (performance.now() - began < SECONDS * 1000) await ask(asked++) }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return asked / (performance.now() - began) * 1000
}

async function rates(): Promise<void> {
  const bare = createServer((request, response) => { request.resume().on('end', () => response.end('ok')) })
  await new Promise<void>(resolve => bare.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(bare.address() as AddressInfo).port}`
  const reference = await rate(async () => (await fetch(url, { method: 'POST', body: 'Action=DescribeInstances' })).text())
  bare.closeAllConnections()
  bare.close()
  const server = await openServer({ fake: { cpus: 64, memoryMiB: 1e8 } })
  try {
    const client = server.ec2()
    const ImageId = (await client.send(new ec2.DescribeImagesCommand({}))).Images![0]!.ImageId!
    const launch = () => client.send(new ec2.RunInstancesCommand({ ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 }))
    const { Instances } = await launch()
    const id = Instances![0]!.InstanceId!
    console.log(`requests a second, ${AT_ONCE} at once, the SDK's own time in the same process; one that only says 200: ${reference.toFixed(0)}`)
    const tell = (name: string, found: number) =>
      console.log(`${name.padEnd(30)} ${found.toFixed(0).padStart(6)}   ratio ${(found / reference).toFixed(2)}`)
    tell('DescribeInstances of one', await rate(() => client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }))))
    tell('CreateTags', await rate(n => client.send(new ec2.CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'n', Value: `${n}` }] }))))
    tell('RunInstances', await rate(launch))
    await server.cloud.loop.idle()
  } finally {
    await server.close()
  }
}

const few = await lives(FEW)
const many = await lives(MANY)
console.log(`${''.padEnd(30)} one of ${FEW}   one of ${MANY}`)
let missed = false
for (const name of Object.keys(few).filter(one => one !== 'resident MiB')) {
  const [a, b] = [few[name]! / FEW, many[name]! / MANY]
  missed ||= b / a > PROMISED
  console.log(`${name.padEnd(30)} ${(a * 1e3).toFixed(3).padStart(8)} ms ${(b * 1e3).toFixed(3).padStart(8)} ms   ratio ${(b / a).toFixed(2)}`
    + ` (promised ${PROMISED})`)
}
console.log(`resident memory at the end      ${few['resident MiB']!.toFixed(0)} and ${many['resident MiB']!.toFixed(0)} MiB`)
await rates()
if (missed) process.exitCode = 1
