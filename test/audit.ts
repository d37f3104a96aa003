/**
 * The dependency audit: asks the registry for the known advisories of every package in the lock file, by npm's own client.
 *
 * Invariant: it passes only where an answer came and names nothing high or critical; where none can be had it says so and counts as skipped,
 * which is never 'ok'. What any registry tells (newer versions, packages given up) is printed as facts, which count as nothing: a package may be
 * the newest and have flaws.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export type Audit = 'fine' | 'findings' | 'not to be had'
type Report = {
  error?: { summary?: string }; message?: string
  vulnerabilities?: Record<string, { severity: string; via: (string | { title: string; url: string })[] }>
  metadata?: { vulnerabilities: Record<string, number> }
}
const GRAVE = new Set(['high', 'critical'])

/** What npm's JSON says (`auditReportVersion` 2), in lines, and what that comes to. */
export function read(json: string): { audit: Audit; lines: string[] } {
  let report: Report
  try {
    report = JSON.parse(json) as Report
  } catch {
    report = { message: 'npm gave no report' }
  }
  if (!report.vulnerabilities || !report.metadata) {
    const why = report.message ?? report.error?.summary ?? 'npm gave no report'
    return { audit: 'not to be had', lines: [`no advisories could be had: ${why}`, 'Nothing is known by this of any package.'] }
  }
  const found = Object.entries(report.vulnerabilities)
  const lines = found.map(([name, { severity, via }]) => {
    const causes = via.map(cause => (typeof cause === 'string' ? cause : `${cause.title} (${cause.url})`))
    return `${severity}: ${name}: ${causes.join('; ')}`
  })
  const counts = Object.entries(report.metadata.vulnerabilities).map(([severity, count]) => `${count} ${severity}`)
  return { audit: found.some(([, { severity }]) => GRAVE.has(severity)) ? 'findings' : 'fine', lines: [...lines, counts.join(', ')] }
}

type Outdated = Record<string, { current: string; latest: string }>

/** What `npm outdated --json` says; `within` is asked for the newest version of the same major. */
export function behind(json: string, within: (name: string, current: string) => string | undefined): string[] {
  type Failed = { error?: { summary?: string } }
  let found: Outdated | Failed
  try {
    found = JSON.parse(json) as typeof found
  } catch {
    found = { error: { summary: 'npm gave no report' } }
  }
  const { error } = found as Failed
  if (error) return [`which packages have newer versions could not be had: ${error.summary}`]
  const lines = Object.entries(found as Outdated).map(([name, { current, latest }]) => {
    const near = within(name, current)
    const own = near === undefined ? 'unknown' : near === current ? 'the newest' : near
    return `behind: ${name} ${current}; of its major ${own}, of all ${latest}`
  })
  return lines.length > 0 ? lines : ['each direct dependency is the newest version that the registry has']
}

type Lock = { packages: Record<string, { deprecated?: string }> }

/** Packages that their authors have given up, as the registry said when the lock file was written. */
export function givenUp(lock: string): string[] {
  const { packages } = JSON.parse(lock) as Lock
  const found = Object.entries(packages).filter(([, { deprecated }]) => deprecated !== undefined)
  const lines = found.map(([path, { deprecated }]) => `deprecated: ${path.replace(/^.*node_modules\//, '')}: ${deprecated}`)
  return lines.length > 0 ? lines : [`none of ${Object.keys(packages).length - 1} packages was deprecated when the lock file was written`]
}

const npm = (...args: string[]) => spawnSync('npm', args, { encoding: 'utf8', timeout: 60_000 })

/** npm answers a list in order of the versions, or one version by itself. */
function newestWithin(name: string, current: string): string | undefined {
  const { stdout, status } = npm('view', `${name}@^${current}`, 'version', '--json')
  return status === 0 ? ([JSON.parse(stdout)] as (string | string[])[]).flat().at(-1) : undefined
}

/** Asks for what runs in the process, then for all, development too; then for the facts. */
export function auditAll(): Audit[] {
  const audits = [['--omit=dev'], []].map(options => {
    const { stdout, error } = npm('audit', '--json', ...options)
    const { audit, lines } = read(error ? JSON.stringify({ message: error.message }) : stdout)
    console.log(`${audit}: npm audit ${options.join(' ')}`.trimEnd())
    for (const line of lines) console.log(`  ${line}`)
    return audit
  })
  console.log('facts, which say nothing of flaws:')
  for (const line of [...behind(npm('outdated', '--json').stdout, newestWithin), ...givenUp(readFileSync('package-lock.json', 'utf8'))])
    console.log(`  ${line}`)
  return audits
}
