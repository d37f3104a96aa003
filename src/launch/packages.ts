/**
 * Which packages a host needs and where they come from: pure decisions; apt.ts carries them out.
 *
 * Invariant: what is installed already, in whatever version, is left as it is.
 */
export type System = { id: string; version: string; codename: string; name: string }
export type Plan =
  | { unsupported: string }
  /** `missing`: packages to install; `backports`: those that must come from there; `needsBackports`: apt does not know that suite yet. */
  | { missing: string[]; backports: string[]; needsBackports: boolean }

/** What the engine runs on and what builds images. */
export const enginePackages = [
  'incus-base', 'incus-client', 'lxcfs', 'btrfs-progs', 'e2fsprogs', 'xfsprogs', 'squashfs-tools', 'mmdebstrap', 'debian-archive-keyring',
  'nftables', 'dnsmasq-base', 'iproute2', 'procps', 'conntrack', 'uidmap', 'attr', 'acl', 'rsync', 'python3', 'openssh-client', 'ca-certificates',
]
/** What tests by official clients need besides, and those of a network. */
export const clientTestPackages = ['awscli', 'python3-awscrt', 'python3-venv', 'curl', 'openssl', 'putty-tools', 'rclone', 'restic']
/** The console is tested in a real browser. */
export const browserTestPackages = ['chromium']
export const engineTestPackages = ['busybox', 'iputils-ping', 'openssl']
export const benchPackages = ['fio']
/** A virtual machine with another Debian. */
export const hostPackages = ['qemu-system-x86', 'mmdebstrap', 'debian-archive-keyring', 'e2fsprogs', 'openssh-client']

/** Not in Debian 12 itself, or older there than this. */
const fromBackports: Record<string, Record<string, [major: number, minor: number]>> = {
  bookworm: { 'incus-base': [6, 0], 'incus-client': [6, 0], 'awscli': [2, 17], 'python3-awscrt': [0, 19] },
}

/** Packages as Ubuntu 24.04 calls them, where it calls them otherwise: Incus was not yet split there. */
const renamed: Record<string, Record<string, string>> = { noble: { 'incus-base': 'incus' } }
/** What a system has not got. Chromium is a snap on every Ubuntu; AWS CLI came back after 24.04. */
const lacking = ({ id, codename }: System): string[] => [...id === 'ubuntu' ? ['chromium'] : [], ...codename === 'noble' ? ['awscli'] : []]

export const lacks = (system: System, name: string): boolean => lacking(system).includes(name)
/** What this system calls them; what it lacks is left out. */
export const namesOn = (system: System, wanted: string[]): string[] =>
  wanted.filter(name => !lacks(system, name)).map(name => renamed[system.codename]?.[name] ?? name)

/** Reads /etc/os-release. */
export function readSystem(text: string): System {
  const fields = new Map([...text.matchAll(/^(\w+)=["']?(.*?)["']?$/gm)].map(match => [match[1]!, match[2]!]))
  const at = (name: string) => fields.get(name) ?? ''
  const name = at('PRETTY_NAME') || at('NAME') || 'an unknown system'
  return { id: at('ID'), version: at('VERSION_ID'), codename: at('VERSION_CODENAME'), name }
}

const supported = ({ id, version }: System): boolean =>
  (id === 'debian' && ['12', '13'].includes(version)) || (id === 'ubuntu' && Number(version) >= 24.04)

/** `installed`: what dpkg has; `candidates`: version that apt would install of each package, absent when it knows none. */
export function planPackages(
  { system, wanted, installed, candidates }: { system: System; wanted: string[]; installed: Set<string>; candidates: Map<string, string> },
): Plan {
  if (!supported(system)) return { unsupported: `Enclume runs on Debian 12 and 13 and on Ubuntu 24.04 or newer; this is ${system.name}` }
  const missing = wanted.filter(name => !installed.has(name))
  const special = fromBackports[system.codename] ?? {}
  // Another source of the administrator's (Zabbly's, say) may offer it already: then that one is used.
  const backports = missing.filter(name => special[name] && !reaches(candidates.get(name), special[name]))
  return { missing, backports, needsBackports: backports.length > 0 }
}

function reaches(version: string | undefined, [major, minor]: [number, number]): boolean {
  const [have = 0, after = 0] = (version ?? '').replace(/^\d+:/, '').split('.').map(part => Number.parseInt(part, 10))
  return have > major || (have === major && after >= minor)
}

/** The packages among `dpkg-query -W -f '${Package} ${db:Status-Status}\n'` that are really installed. */
export const readInstalled = (text: string): Set<string> =>
  new Set(text.split('\n').map(line => line.split(' ')).filter(([, state]) => state === 'installed').map(([name]) => name!))

/** Candidates in what `LC_ALL=C apt-cache policy NAMES` prints. */
export function readCandidates(text: string): Map<string, string> {
  const found = [...text.matchAll(/^(\S+):\n(?:  .*\n)*?  Candidate: (\S+)/gm)].map((match): [string, string] => [match[1]!, match[2]!])
  return new Map(found.filter(([, version]) => version !== '(none)'))
}

/** Our sources file: the mirror is that of the host's own sources when it can be read there. */
export const backportsSource = ({ codename, mirror }: { codename: string; mirror: string }): string => [
  '# Made by Enclume for Incus; `enclume reset` leaves it, as it leaves the packages.',
  'Types: deb', `URIs: ${mirror}`, `Suites: ${codename}-backports`, 'Components: main',
  'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg', '',
].join('\n')

/** The first mirror named in deb822 or one-line sources, security archives apart. */
export function mirrorOf(sources: string): string {
  const uris = [...sources.matchAll(/^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s*)?)(https?:\/\/\S+)/gm)].map(match => match[1]!)
  return uris.find(uri => /\/debian\/?$/.test(uri)) ?? 'http://deb.debian.org/debian'
}
