/**
 * How soon packets obey: from the answer of AuthorizeSecurityGroupIngress until a connection passes that could not before, against a
 * spawned `nft -f` of one such rule into a copy of the router's ruleset, in the same run. Needs an Enclume that is up: ENCLUME_HOME.
 *
 * A connection is tried each millisecond. Nobody listens on the port: that the guest refuses is the proof that the packet came through.
 */
import { connect, type Socket } from 'node:net'
import { AuthorizeSecurityGroupIngressCommand, EC2Client } from '@aws-sdk/client-ec2'
import { inside, run } from '#engine/net/run'
import { spaceNames } from '#engine/net/space'
import { readCredentials } from '#launch/credentials'
import { Enclume, eventually } from '../e2e/enclume.ts'

const ROUNDS = Number(process.argv[2] ?? 9)
const FIRST_PORT = 20_000
const LIMIT_MS = 10_000

const enclume = await Enclume.up()
const { accessKeyId, secretAccessKey } = readCredentials(enclume.home)
const ec2 = new EC2Client({
  endpoint: `http://127.0.0.1:${enclume.home.port}`, region: enclume.home.region, credentials: { accessKeyId, secretAccessKey },
})
const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

/** Resolves with the moment at which the first attempt was refused by the guest. */
function passes(host: string, port: number): Promise<number> {
  const sockets = new Set<Socket>()
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
      settle()
    }
    const timer = setInterval(() => {
      if (performance.now() - started > LIMIT_MS) return end(() => reject(new Error(`nothing passed within ${LIMIT_MS} ms`)))
      const socket = connect({ host, port })
      sockets.add(socket)
      socket.on('error', error => {
        if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') end(() => resolve(performance.now()))
        else end(() => reject(error))
      })
    }, 1)
  })
}

async function authorize(GroupId: string, host: string, port: number): Promise<number> {
  const rule = { GroupId, IpProtocol: 'tcp', FromPort: port, ToPort: port, CidrIp: '0.0.0.0/0' }
  const answer = ec2.send(new AuthorizeSecurityGroupIngressCommand(rule)).then(() => performance.now())
  const [passed, answered] = await Promise.all([passes(host, port), answer])
  return passed - answered
}

const space = `${enclume.home.prefix}-bench`
async function spawned(port: number): Promise<number> {
  const started = performance.now()
  await run(inside(space, 'nft', '-f', '-'), `add rule inet bench rules tcp dport ${port} ip saddr 0.0.0.0/0 accept\n`)
  return performance.now() - started
}

/** A namespace with what the VPCs' routers load, to which one rule is added. */
async function copyRouter(): Promise<void> {
  const router = (await spaceNames()).find(name => new RegExp(`^${enclume.home.prefix}-n\\d+$`).test(name))!
  const ruleset = await run(inside(router, 'nft', 'list', 'ruleset'))
  await run(['ip', 'netns', 'add', space])
  await run(inside(space, 'nft', '-f', '-'), `${ruleset}\nadd table inet bench\nadd chain inet bench rules\n`)
}

const group = (await enclume.ec2('create-security-group', '--group-name', 'bench-groups', '--description', 'bench')).GroupId as string
let instance: string | undefined
try {
  instance = (await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12-ec2'), '--instance-type', 't3.nano',
    '--security-group-ids', group)).Instances[0].InstanceId as string
  const { PublicIpAddress: host } = await enclume.state(instance, 'running')
  await copyRouter()
  // The guest is up when it refuses for the first time; the round after that warms everything.
  await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', `${FIRST_PORT}`, '--cidr', '0.0.0.0/0')
  await eventually(() => passes(host, FIRST_PORT), { what: 'the guest\'s network', timeoutMs: 60_000 })
  await authorize(group, host, FIRST_PORT + 1)
  const [ours, plain]: [number[], number[]] = [[], []]
  for (let round = 2; round < ROUNDS + 2; round++) {
    plain.push(await spawned(FIRST_PORT + round))
    ours.push(await authorize(group, host, FIRST_PORT + round))
  }
  const ratio = median(ours) / median(plain)
  console.log(`spawned nft -f of one rule                     ${median(plain).toFixed(1)} ms`)
  console.log(`AuthorizeSecurityGroupIngress until it holds   ${median(ours).toFixed(1)} ms after the answer   ratio ${ratio.toFixed(2)}`)
} finally {
  if ((await spaceNames()).includes(space)) await run(['ip', 'netns', 'del', space])
  if (instance) {
    await enclume.ec2('terminate-instances', '--instance-ids', instance)
    await enclume.state(instance, 'terminated')
  }
  await enclume.ec2('delete-security-group', '--group-id', group)
  enclume.close()
  ec2.destroy()
}
