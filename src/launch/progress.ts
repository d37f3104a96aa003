/** A log whose lines go to the home's launch.log in full, and to the screen as a word or two. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import { openLog, type Log } from '#base/log'
import type { Say } from '#launch/ui'

export function progressLog(home: Home, say: Say): Log {
  const dir = join(home.dir, 'log')
  mkdirSync(dir, { recursive: true, mode: 0o750 })
  return openLog(line => {
    appendFileSync(join(dir, 'launch.log'), line, { mode: 0o640 })
    const { level, event, time: _time, ...fields } = JSON.parse(line) as Record<string, unknown>
    if (level === 'debug') return
    const facts = Object.entries(fields).filter(([, value]) => typeof value !== 'object').map(([name, value]) => `${name}=${value}`)
    say([level === 'info' ? '' : `${level}:`, event, ...facts].filter(Boolean).join(' ').split('\n')[0]!)
  }, 'debug')
}
