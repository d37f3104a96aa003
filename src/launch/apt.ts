/**
 * Installs packages by the host's own apt.
 *
 * Invariant: no service that is not running starts because of us. Incus's packages start a system-wide Incus, whose place would be
 * the administrator's to give: while they are installed the policy file that Debian provides for this says no to it, and then its
 * services are disabled. An Incus that was installed before is not touched.
 */
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Failure } from '#launch/failure'
import {
  backportsSource, mirrorOf, namesOn, planPackages, readCandidates, readInstalled, readSystem, type Plan, type System,
} from '#launch/packages'
import { must, run } from '#launch/run'
import type { Say, Ui } from '#launch/ui'

const SOURCE = '/etc/apt/sources.list.d/enclume.sources'
const POLICY = '/usr/sbin/policy-rc.d'
const KEPT = '/usr/sbin/policy-rc.d.before-enclume'
const MARK = '# Put here by Enclume while it installs packages.'
const quiet = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', NEEDRESTART_MODE: 'l' }

/** Installs what is missing of `wanted`; says nothing when nothing is. */
export async function installPackages(wanted: string[], ui: Ui): Promise<void> {
  const plan = await planNow(wanted)
  if (!plan.missing.length) return
  await ui.step('package lists', async say => {
    if (plan.needsBackports && !existsSync(SOURCE)) writeBackports(say)
    await must('apt-get', ['-q', 'update'], { env: quiet, onLine: line => line.startsWith('Get:') && say(line) })
  })
  await ui.step(`packages: ${plan.missing.join(' ')}`, say => install(plan, say))
}

export const thisSystem = (): System => readSystem(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')

async function planNow(asked: string[]): Promise<Exclude<Plan, { unsupported: string }>> {
  const system = thisSystem()
  const wanted = namesOn(system, asked)
  const { stdout: dpkg } = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\\n', ...wanted])
  const { stdout: policy } = await run('apt-cache', ['policy', ...wanted])
  const plan = planPackages({ system, wanted, installed: readInstalled(dpkg), candidates: readCandidates(policy) })
  if ('unsupported' in plan) throw new Failure(plan.unsupported)
  return plan
}

function writeBackports(say: Say): void {
  const { codename } = thisSystem()
  const sources = globSync('/etc/apt/{sources.list,sources.list.d/*.{list,sources}}').map(file => readFileSync(file, 'utf8')).join('\n')
  writeFileSync(SOURCE, backportsSource({ codename, mirror: mirrorOf(sources) }))
  say(`added ${SOURCE}`)
}

async function install(plan: { missing: string[]; backports: string[] }, say: Say): Promise<void> {
  // With the new suite known, its versions are asked for by name: its pin is lower than the release's own.
  const { codename } = thisSystem()
  const names = plan.missing.map(name => (plan.backports.includes(name) ? `${name}/${codename}-backports` : name))
  const newIncus = plan.missing.some(name => name === 'incus-base' || name === 'incus')
  const onLine = (line: string) => /^(Get:|Setting up |Need to get )/.test(line) && say(line)
  const args = ['-q', '-y', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', 'install', ...names]
  await withoutStarting(/^(incus|dnsmasq)/, () => must('apt-get', args, { env: quiet, onLine }))
  if (newIncus) await disableIncus()
}

/** Runs `work` with a policy that keeps services of these names from being started or restarted; others are as they were. */
async function withoutStarting(names: RegExp, work: () => Promise<unknown>): Promise<void> {
  restorePolicy()
  if (existsSync(POLICY)) renameSync(POLICY, KEPT)
  const script = ['#!/bin/sh', MARK, `echo "$1" | grep -qE '${names.source}' && exit 101`, `[ ! -x ${KEPT} ] || exec ${KEPT} "$@"`, '']
  writeFileSync(POLICY, script.join('\n'), { mode: 0o755 })
  try {
    await work()
  } finally {
    restorePolicy()
  }
}

/** Takes our policy away again, also one that a killed run left. */
function restorePolicy(): void {
  if (existsSync(POLICY) && readFileSync(POLICY, 'utf8').includes(MARK)) rmSync(POLICY)
  if (existsSync(KEPT) && !existsSync(POLICY)) renameSync(KEPT, POLICY)
}

/** At the next boot too the system-wide Incus stays off, until the administrator enables it in the usual way. */
async function disableIncus(): Promise<void> {
  const units = globSync('/usr/lib/systemd/system/incus*.{service,socket}').concat(globSync('/lib/systemd/system/incus*.{service,socket}'))
  // Works on the files alone, so also where systemd is installed and does not run.
  if (existsSync('/usr/bin/systemctl')) await must('systemctl', ['disable', ...new Set(units.map(path => path.split('/').at(-1)!))])
  for (const script of globSync('/etc/init.d/incus*')) await must('update-rc.d', [script.split('/').at(-1)!, 'disable'])
}
