/**
 * An Enclume for end-to-end tests: brought up by the launcher, as a user does, in the home that the tests have of their own,
 * and used by the AWS CLI and ssh. Only what is asked again and again until it is so is asked by the SDK: each run of the CLI takes most of a
 * second of the processor from what is waited for.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2'
import { hostAddress, type Home } from '#base/home'
import { getHome } from '#launch/config'
import { readCredentials } from '#launch/credentials'
import { openAws, type Aws, type Outcome } from './aws-cli.ts'

export type { Outcome } from './aws-cli.ts'

const exec = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a program to its end; its exit code is an answer, not an error. */
export type RunOptions = { env?: NodeJS.ProcessEnv; timeoutMs?: number; cwd?: string }
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<Outcome> {
  try {
    const { stdout, stderr } = await exec(command, args, {
      env: options.env ?? process.env, timeout: options.timeoutMs ?? 120_000, cwd: options.cwd, maxBuffer: 64 << 20,
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout = '', stderr = '', killed } = error as { code?: number; stdout?: string; stderr?: string; killed?: boolean }
    if (typeof code !== 'number' && !killed) throw error
    return { code: killed ? 124 : code!, stdout, stderr }
  }
}

export async function must(command: string, args: string[], options: Parameters<typeof run>[2] = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr.trim()} ${stdout.slice(-500)}`)
  return stdout
}

/** Tries again until it holds; fails with what was seen last. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false>, { what, timeoutMs }: { what: string; timeoutMs: number },
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found) return found
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last })
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

export const launcher = (...args: string[]): Promise<string> => must(join(ROOT, 'enclume'), args, { timeoutMs: 900_000 })

export class Enclume {
  readonly home: Home
  /** A place for keys and scripts, removed at the end. */
  readonly dir = mkdtempSync(join(tmpdir(), 'enclume-e2e-'))
  readonly #env: NodeJS.ProcessEnv
  readonly #client: EC2Client
  #aws: Aws | undefined

  private constructor(home: Home, env: NodeJS.ProcessEnv) {
    this.home = home
    this.#env = env
    const { accessKeyId, secretAccessKey } = readCredentials(home)
    this.#client = new EC2Client({
      endpoint: `http://127.0.0.1:${home.port}`, region: home.region, credentials: { accessKeyId, secretAccessKey },
      requestHandler: { requestTimeout: 30_000 },
    })
  }

  /** In the tests' own home, or a second one. */
  static async up({ dir = process.env.ENCLUME_HOME, options = [] }: { dir?: string; options?: string[] } = {}): Promise<Enclume> {
    if (!dir) throw new Error('ENCLUME_HOME must name a home for the tests: run ./enclume test')
    await launcher('up', '--home', dir, ...options)
    const lines = (await launcher('env', '--home', dir)).matchAll(/^export (\w+)=(.*)$/gm)
    const variables = Object.fromEntries([...lines].map(([, name, value]) => [name, value!.replace(/^'|'$/g, '')]))
    return new Enclume(getHome(dir), { ...process.env, ...variables, AWS_PAGER: '' })
  }

  /** The host's own address as instances see it. */
  get hostAddress(): string { return hostAddress(this.home) }

  aws(...args: string[]): Promise<Outcome> {
    const cli = process.env.ENCLUME_TEST_AWS ?? 'aws'
    if (process.env.ENCLUME_TEST_FORKS) this.#aws ??= openAws({ cli, env: this.#env, dir: this.dir })
    return this.#aws?.call(args) ?? run(cli, args, { env: this.#env, cwd: this.dir, timeoutMs: 300_000 })
  }

  /** The answer of an EC2 call as the CLI prints it in JSON. */
  async ec2<T = any>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.aws('ec2', ...args, '--output', 'json')
    if (code !== 0) throw new Error(`aws ec2 ${args.join(' ')}: ${stderr.trim()}`)
    return (stdout.trim() === '' ? undefined : JSON.parse(stdout)) as T
  }

  async image(name: string): Promise<string> {
    const { Images } = await this.ec2('describe-images', '--owners', 'amazon', '--filters', `Name=name,Values=${name}`)
    return Images[0].ImageId
  }

  /** As the CLI prints it, but for times, which end in Z. */
  async instance(id: string): Promise<any> {
    const { Reservations } = await this.#client.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
    return JSON.parse(JSON.stringify(Reservations![0]!.Instances![0]))
  }

  async state(id: string, wanted: string, timeoutMs = 120_000): Promise<any> {
    const look = async () => { const found = await this.instance(id); return found.State.Name === wanted && found }
    return eventually(look, { what: `${id} ${wanted}`, timeoutMs })
  }

  /** A new key pair's private half, in a file as ssh wants it. */
  async keyPair(name: string): Promise<string> {
    const file = join(this.dir, `${name}.pem`)
    const { KeyMaterial } = await this.ec2('create-key-pair', '--key-name', name, '--key-type', 'ed25519')
    writeFileSync(file, `${KeyMaterial.trimEnd()}\n`, { mode: 0o400 })
    return file
  }

  close(): void {
    this.#aws?.close()
    this.#client.destroy()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

export type Login = { key: string; user: string; address: string; from?: string }

/** A command over ssh. Exit code 255 is ssh's own failure. */
export const ssh = (login: Login, command: string, timeoutMs = 60_000): Promise<Outcome> => run('ssh', sshArgs(login, command), { timeoutMs })

export function sshArgs({ key, user, address, from }: Login, command: string): string[] {
  const options = [
    'BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=5', 'IdentitiesOnly=yes',
  ]
  return [...options.flatMap(o => ['-o', o]), ...(from ? ['-b', from] : []), '-i', key, `${user}@${address}`, command]
}

/** What began while nobody had its address may wait for long: it is given up for another. */
const TRY_MS = 15_000
/** Waits until ssh lets the user in. */
export const sshReady = (login: Login, timeoutMs = 120_000): Promise<true> =>
  eventually(async () => (await ssh(login, 'true', TRY_MS)).code === 0 && (true as const), { what: `ssh to ${login.address}`, timeoutMs })

/** User data of a web server that tells each caller who answers and whom it sees, over IPv4 and IPv6. */
export const serving = (name: string): string => `#!/bin/sh
cat >/root/serve.py <<'EOF'
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'${name} {self.client_address[0].removeprefix("::ffff:")}'.encode())
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(('::', 80), Handler).serve_forever()
EOF
systemd-run python3 /root/serve.py
`

/** What a learner sees: the page, 'refused' (nothing listens), or 'timed out' (a group that drops). */
export async function visit(url: string): Promise<string> {
  const { code, stdout } = await run('curl', ['--silent', '--max-time', '4', url])
  return code === 0 ? stdout : code === 7 ? 'refused' : code === 28 ? 'timed out' : `curl ${code}`
}

/** What instances have on the host, for finding what was left. A VPC's router stays as long as the VPC. */
export async function traces({ prefix, dir, run: runDir }: Home): Promise<{ ports: string[]; loops: string[]; mounts: string[] }> {
  const links = JSON.parse(await must('ip', ['-json', 'link'])) as { ifname: string }[]
  const loops = (await must('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).split('\n')
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').map(line => line.split(' ')[1] ?? '')
  return {
    ports: links.map(l => l.ifname).filter(name => name.startsWith(`${prefix}p`)),
    loops: loops.filter(file => file.includes(`${dir}/`) && file.includes('/custom/')),
    mounts: mounts.filter(point => point.startsWith(`${runDir}/root/`)),
  }
}
