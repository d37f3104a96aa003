/**
 * The dependency audit: asks the registry for the known advisories of every package in the lock file, by npm's own client.
 *
 * Invariant: it passes only where an answer came and names nothing high or critical; where none can be had it says so and counts as skipped,
 * which is never 'ok'.
 */
import { spawnSync } from 'node:child_process'

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

/** Asks for what runs in the process, then for all, development too. */
export function auditAll(): Audit[] {
  return [['--omit=dev'], []].map(options => {
    const { stdout, error } = spawnSync('npm', ['audit', '--json', ...options], { encoding: 'utf8', timeout: 60_000 })
    const { audit, lines } = read(error ? JSON.stringify({ message: error.message }) : stdout)
    console.log(`${audit}: npm audit ${options.join(' ')}`.trimEnd())
    for (const line of lines) console.log(`  ${line}`)
    return audit
  })
}
