/**
 * A network for tests of machines: one port, DHCP, and a metadata service that knows just enough for a guest to boot.
 * All of it lives in one network namespace, and goes with it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { run, ToolError } from '#engine/disk/run'

const GUEST = '10.77.0.2'
const METADATA = `
  const facts = { 'meta-data/': 'instance-id\\nlocal-hostname', 'meta-data/instance-id': 'i-test', 'meta-data/local-hostname': 'guest',
    'dynamic/instance-identity': 'document', 'dynamic/instance-identity/document': '{"instanceId":"i-test"}', 'user-data': '' }
  require('node:http').createServer((request, response) => {
    const path = request.url.replace(/^\\/[^/]+\\//, '')
    const allowed = request.method === 'PUT' || request.headers['x-aws-ec2-metadata-token'] === 'token'
    const fact = request.method === 'PUT' ? 'token' : facts[path] ?? facts[path.replace(/\\/$/, '')]
    response.writeHead(!allowed ? 401 : fact === undefined ? 404 : 200).end(allowed ? fact : '')
  }).listen(80, '169.254.169.254', () => console.log('ready'))`

export type Lan = { device: string; sshBanner(): Promise<string | undefined>; close(): Promise<void> }

export async function openLan(prefix: string): Promise<Lan> {
  const space = `${prefix}-lan`
  const device = `${prefix}-m0`
  const services: ChildProcess[] = []
  const serve = (...command: string[]) => {
    const service = spawn('ip', ['netns', 'exec', space, ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
    services.push(service)
    return service
  }
  const close = async () => {
    for (const service of services) if (service.kill()) await once(service, 'exit')
    await run('ip', ['netns', 'delete', space])
  }
  await run('ip', ['netns', 'add', space])
  try {
    const ip = (...args: string[]) => run('ip', ['-n', space, ...args])
    await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', 'gw', 'netns', space])
    for (const address of ['10.77.0.1/24', '169.254.169.254/32']) await ip('address', 'add', address, 'dev', 'gw')
    for (const link of ['lo', 'gw']) await ip('link', 'set', link, 'up')
    serve('dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--interface=gw', '--no-ping', '--leasefile-ro',
      `--dhcp-range=${GUEST},${GUEST}`, '--dhcp-option=3,10.77.0.1', '--dhcp-authoritative', '--user=root', '--pid-file=',
      '--log-facility=/dev/null')
    await once(serve(process.execPath, '-e', METADATA).stdout!, 'data')
  } catch (error) {
    await close()
    throw error
  }
  const knock = `exec 3<>/dev/tcp/${GUEST}/22 && head -c 8 <&3`
  const sshBanner = () => run('timeout', ['1', 'ip', 'netns', 'exec', space, 'bash', '-c', knock]).catch((error: unknown) => {
    if (error instanceof ToolError) return undefined
    throw error
  })
  return { device, sshBanner, close }
}
