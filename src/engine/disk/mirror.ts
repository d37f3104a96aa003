/**
 * Where Debian's packages come from as this host reaches them, for building images and for the images themselves.
 *
 * Invariant: on a Debian host its own mirror, else Debian's own; both carry Debian's signatures, which are always checked.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'

const RELEASE = 'bookworm'
const DEFAULT = { archive: 'http://deb.debian.org/debian', security: 'http://deb.debian.org/debian-security' }

export type Mirror = { archive: string; security: string }

/** One source of apt: where, and which suites. */
export type Source = { uri: string; suites: string[] }

/** Reads both of apt's formats; disabled entries and sources of packages' sources are left out. */
export function parseSources(text: string, { deb822 }: { deb822: boolean }): Source[] {
  if (!deb822) {
    return text.split('\n').flatMap(line => {
      const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s/.exec(line)
      return match ? [{ uri: match[1]!, suites: [match[2]!] }] : []
    })
  }
  return text.split(/\n\s*\n/).flatMap(stanza => {
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'mi').exec(stanza)?.[1]?.trim().split(/\s+/) ?? []
    if (!field('Types').includes('deb') || field('Enabled')[0] === 'no') return []
    return field('URIs').map(uri => ({ uri, suites: field('Suites') }))
  })
}

/** Only Debian's archive itself has `-updates` and `-security` suites; other vendors' sources are no mirror of it. */
export function mirrorOf(sources: Source[]): Mirror {
  const having = (suffix: string) => sources.find(({ suites }) => suites.some(suite => suite.endsWith(suffix)))?.uri.replace(/\/$/, '')
  return { archive: having('-updates') ?? DEFAULT.archive, security: having('-security') ?? DEFAULT.security }
}

export function hostMirror(): Mirror {
  const id = /^ID="?([a-z]+)/m.exec(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')?.[1]
  if (id !== 'debian') return DEFAULT
  const files = ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*.{list,sources}').sort()].filter(path => existsSync(path))
  return mirrorOf(files.flatMap(path => parseSources(readFileSync(path, 'utf8'), { deb822: path.endsWith('.sources') })))
}

/** The lines of an image's /etc/apt/sources.list. */
export const sourceLines = ({ archive, security }: Mirror): string[] => [
  `deb ${archive} ${RELEASE} main`, `deb ${archive} ${RELEASE}-updates main`, `deb ${security} ${RELEASE}-security main`,
]
/** Whence cloud-init comes: one release on. */
export const nextReleaseLine = ({ archive }: Mirror): string => `deb ${archive} trixie main`
export { RELEASE }
