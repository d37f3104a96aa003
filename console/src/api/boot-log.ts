/**
 * What a first boot has come to, as the lines that systemd and cloud-init print on the console tell. Pure.
 *
 * Invariant: the console keeps its newest 64 KiB alone, and a script that installs much prints more: a later phase's mark says that the
 * earlier ones are over, whether or not their own marks are still there.
 */

// Escape sequences of colours and cursors, which a page shows as noise.
// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]|\u001b[()][A-Z0-9]|\r/g
export const plainLog = (text: string): string => text.replace(ESCAPES, '')

export type Phases = { dhcp: boolean; imds: boolean; userData: boolean; failed: boolean; ready: boolean; userDataLog: string }

const PRINTED = /^\[\s*\d+\.\d+\] cloud-init\[\d+\]: /
const STAGE = /Cloud-init v\. ?\S+ (?:running '([\w:-]+)'|(finished) at)/

const stageOf = (line: string): string | undefined => {
  const found = STAGE.exec(line)
  return found?.[1] ?? found?.[2]
}

export function phasesOf(log: string): Phases {
  const lines = plainLog(log).split('\n')
  const firstStage = lines.findIndex(line => stageOf(line) !== undefined)
  // What cloud-init printed before any of its stages begins belongs to one whose beginning is gone: only user data prints as much.
  const cutOff = lines.slice(0, firstStage < 0 ? undefined : firstStage).some(line => PRINTED.test(line))
  const stages = new Set(lines.map(stageOf))
  const ready = stages.has('finished')
  const userData = ready || cutOff || stages.has('modules:final')
  // The network stage ends when the metadata service has said what this instance is to be.
  const imds = userData || stages.has('modules:config')
  const dhcp = imds || /ci-info: \|\s+(?!lo\b)\S+\s+\|\s+True\s+\|\s+\d+\.\d+/.test(log)
  const last = (stage: string): number => lines.findLastIndex(line => stageOf(line) === stage)
  const end = last('finished')
  const own = userData ? lines.slice(last('modules:final') + 1, end < 0 ? undefined : end) : []
  const printed = own.filter(line => PRINTED.test(line)).map(line => line.replace(PRINTED, ''))
  const failed = own.some(line => /Failed to run module scripts.user/.test(line))
  return { dhcp, imds, userData, failed, ready, userDataLog: printed.join('\n').trim() }
}
