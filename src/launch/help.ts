/** `enclume help` and `enclume version`. */
import { readFileSync } from 'node:fs'
import { commands, optionsOf, type Args, type Command, type CommandName } from '#launch/args'
import { misuse } from '#launch/failure'

export const readVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version

const columns = (rows: [string, string][]): string[] => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

function overview(): string[] {
  const rows = Object.entries(commands).map(([name, { summary }]): [string, string] => [name, summary])
  return ['Enclume: Amazon EC2, for real, on your own machine', '', 'Usage: enclume COMMAND [OPTIONS]', '', ...columns(rows), '',
    'enclume help COMMAND shows its options.']
}

function one(name: CommandName): string[] {
  const { summary, operands = '', notes = [] } = commands[name] as Command
  const rows = Object.entries(optionsOf(name)).map(([option, { short, value, help }]): [string, string] =>
    [`${short ? `-${short}, ` : ''}--${option}${value ? ` ${value}` : ''}`, help])
  return [`enclume ${name}: ${summary}`, '', `Usage: enclume ${name} [OPTIONS] ${operands}`.trimEnd(), '', ...columns(rows),
    ...(notes.length > 0 ? ['', ...notes] : [])]
}

export function help({ operands: [name] }: Args): number {
  if (name !== undefined && !Object.hasOwn(commands, name)) throw misuse(`there is no command '${name}'`)
  console.log((name === undefined ? overview() : one(name as CommandName)).join('\n'))
  return 0
}
