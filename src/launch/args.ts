/**
 * The command line: which commands there are, and which options each takes.
 *
 * Invariant: what a command does not know it refuses; nothing is guessed and nothing is ignored.
 */
import { parseArgs } from 'node:util'
import { misuse } from '#launch/failure'

type Option = { type: 'boolean' | 'string'; short?: string; value?: string; help: string }
export type Command = { summary: string; options: Record<string, Option>; operands?: string; notes?: string[] }

const common: Record<string, Option> = {
  home: { type: 'string', value: 'DIR', help: 'which Enclume (default: $ENCLUME_HOME, else /var/lib/enclume)' },
}

export const commands = {
  up: {
    summary: 'install what is missing and start; a second time it only looks',
    options: {
      port: { type: 'string', value: 'N', help: 'API port on 127.0.0.1 (default 4566 + 10 for each slot)' },
      'console-port': { type: 'string', value: 'N', help: 'console port on 127.0.0.1 (default 4570 + 10 for each slot)' },
      bind: { type: 'string', value: 'ADDRESS|off', help: 'serve the API over TLS at this address of the host too (default off)' },
      'tls-cert': { type: 'string', value: 'FILE', help: 'for bind: a certificate of your own, with its chain (default: one is made)' },
      'tls-key': { type: 'string', value: 'FILE', help: 'for bind: the key of that certificate' },
      region: { type: 'string', value: 'NAME', help: 'default region (default us-east-1)' },
      disk: { type: 'string', value: 'SIZE', help: 'room for volumes, such as 100GiB; takes only what is used' },
      incus: { type: 'string', value: 'unix:PATH', help: 'use an Incus that runs on this host already, in a project of its own' },
      throttle: { type: 'string', value: 'on|off', help: 'hold volumes to the speed of their EBS type (default on)' },
      'api-throttle': { type: 'string', value: 'on|off', help: 'refuse EC2 requests that come faster than AWS lets them (default off)' },
      slot: { type: 'string', value: '0-7', help: 'which names and address ranges on the host (default: the first free)' },
    },
  },
  down: {
    summary: 'stop instances and everything else; `up` brings back what ran',
    options: { 'keep-running': { type: 'boolean', help: 'stop only the server; instances go on serving' } },
  },
  password: { summary: 'make a new password for the root user of the console, and print it', options: {} },
  status: { summary: 'say what runs (exit code 0 running, 3 stopped)', options: { json: { type: 'boolean', help: 'as JSON' } } },
  env: { summary: 'print the shell variables that point AWS tools here: eval "$(./enclume env)"', options: {} },
  logs: {
    summary: 'show the logs', operands: '[server|incus|launch]',
    options: {
      follow: { type: 'boolean', short: 'f', help: 'go on as lines come' },
      lines: { type: 'string', short: 'n', value: 'N', help: 'how many last lines (default 50)' },
    },
  },
  image: {
    summary: 'list, build or fetch machine images', operands: 'list | build NAME | add NAME',
    options: { server: { type: 'string', value: 'URL', help: 'for add: an image server (default https://images.linuxcontainers.org)' } },
    notes: [
      'add fetches the newest image of a distribution from an image server that speaks simplestreams, checks it, and makes it',
      'boot as an EC2 instance, such as: enclume image add amazonlinux/2023',
      'Others: almalinux/9, centos/9-Stream, debian/13, fedora/42, oracle/9, rockylinux/9, ubuntu/24.04. DescribeImages shows it',
      'within a minute, by that name. Log in as on the AMIs: ec2-user, but admin (Debian), fedora, rocky, ubuntu.',
      'What the image lacks of cloud-init, ssh server and sudo is installed from the distribution\'s own package servers.',
      'A second add looks for a newer version; running instances keep theirs.',
    ],
  },
  backup: {
    summary: 'keep everything in a folder, while it runs', operands: 'FOLDER',
    options: {},
    notes: [
      'The control plane and all volumes, as of one moment, in a folder that is not there yet. Instances go on running; a file system that is',
      'in use is kept as a loss of power would leave it. The folder holds keys and secrets.',
    ],
  },
  restore: {
    summary: 'make a home from such a folder', operands: 'FOLDER', options: {},
    notes: ['Only where there is no Enclume yet: on another host, in another home, or after a reset. `up` then starts what ran.'],
  },
  reset: {
    summary: 'stop and remove everything, also what a killed run left',
    options: { yes: { type: 'boolean', help: 'without asking' } },
  },
  test: {
    summary: 'run the tests', operands: '[unit|conformance|console|real|e2e|all|bench|audit|fuzz]',
    options: { bench: { type: 'boolean', help: 'also the benchmarks' } },
  },
  help: { summary: 'show this, or one command', operands: '[COMMAND]', options: {} },
  version: { summary: 'print the version', options: {} },
} satisfies Record<string, Command>

export type CommandName = keyof typeof commands
export type Args = { command: CommandName; options: Record<string, string | boolean | undefined>; operands: string[] }

export const optionsOf = (name: CommandName): Record<string, Option> => ({ ...commands[name].options, ...common })

/** Reads a command line (without node and script). Throws a misuse Failure. */
export function readArgs(argv: string[]): Args {
  const [word = 'help', ...rest] = argv
  const name = ({ '--help': 'help', '-h': 'help', '--version': 'version' } as Record<string, string>)[word] ?? word
  if (!Object.hasOwn(commands, name)) throw misuse(`there is no command '${word}'`)
  const command = name as CommandName
  if (rest.includes('--help') || rest.includes('-h')) return { command: 'help', options: {}, operands: [command] }
  const { values, positionals } = parse(command, rest)
  if (positionals.length && !(commands[command] as Command).operands) throw misuse(`${command}: what is '${positionals[0]}'?`)
  return { command, options: values, operands: positionals }
}

function parse(command: CommandName, args: string[]) {
  const known = Object.entries(optionsOf(command))
  const options = Object.fromEntries(known.map(([name, { type, short }]) => [name, short ? { type, short } : { type }]))
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw misuse(`${command}: ${(error as Error).message.split('. ')[0]}`)
  }
}

/** A whole number within bounds, or a misuse Failure naming the option. */
export function readNumber(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (!(value >= least && value <= most)) throw misuse(`--${name} takes a number from ${least} to ${most}, not '${text}'`)
  return value
}

/** 'on' or 'off', or undefined where nothing was said. */
export function readSwitch(name: string, text: string | undefined): boolean | undefined {
  if (text !== undefined && text !== 'on' && text !== 'off') throw misuse(`--${name} takes on or off, not '${text}'`)
  return text === undefined ? undefined : text === 'on'
}

/** '100', '100G', '100GiB' or '1T' in GiB. */
export function readSizeGiB(name: string, text: string): number {
  const match = /^(\d{1,6})\s*(?:([GT])(?:i?B)?)?$/i.exec(text)
  const size = match ? Number(match[1]) * (match[2]?.toUpperCase() === 'T' ? 1024 : 1) : 0
  if (size < 1) throw misuse(`--${name} takes a size such as 100GiB, not '${text}'`)
  return size
}
