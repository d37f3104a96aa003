/**
 * What the launcher says while it works: one line for each step with how long it took.
 *
 * Invariant: colours, and lines that are written over, only on a terminal; everything here goes to stderr, so that a command's
 * result on stdout can be read by a program.
 */
export type Say = (detail: string) => void
export type Ui = {
  line(text: string): void
  /** Does the work under a title. `say` tells what it is at; on a terminal only the newest is seen. */
  step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T>
}
type Out = { write(text: string): unknown; isTTY?: boolean; columns?: number }

/** Nothing for what is over at once. */
function duration(ms: number): string {
  const whole = Math.round(ms / 1000)
  return ms < 100 ? '' : ms < 59_500 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
const colour = (out: Out, code: number, text: string): string => (out.isTTY && !process.env.NO_COLOR ? `\x1b[${code}m${text}\x1b[0m` : text)

export function openUi(out: Out = process.stderr): Ui {
  const line = (text: string) => { out.write(`${text}\n`) }
  return {
    line,
    step: (title, work) => (out.isTTY ? onTerminal(out, title, work) : inLines(line, title, work)),
  }
}

const turning = ['-', '\\', '|', '/']

async function onTerminal<T>(out: Out, title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const began = Date.now()
  let detail = ''
  let turn = 0
  const paint = () => {
    const text = `  ${turning[turn++ % 4]} ${title} ${duration(Date.now() - began)}${detail && `  ${detail}`}`
    out.write(`\r\x1b[K${text.slice(0, (out.columns ?? 80) - 1)}`)
  }
  const timer = setInterval(paint, 120)
  paint()
  try {
    const result = await work(text => { detail = text })
    out.write(`\r\x1b[K  ${colour(out, 32, 'ok')} ${title} ${colour(out, 2, duration(Date.now() - began))}\n`)
    return result
  } catch (error) {
    out.write(`\r\x1b[K  ${colour(out, 31, 'failed')} ${title}\n`)
    throw error
  } finally {
    clearInterval(timer)
  }
}

/** A log file has no use for a line without a result, so a title alone is printed only when there is something to say under it. */
async function inLines<T>(line: (text: string) => void, title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const began = Date.now()
  let opened = false
  const say = (detail: string) => {
    if (!opened) line(`  ... ${title}`)
    opened = true
    line(`      ${detail}`)
  }
  try {
    const result = await work(say)
    line(`  ok ${title} ${duration(Date.now() - began)}`.trimEnd())
    return result
  } catch (error) {
    line(`  failed ${title}`)
    throw error
  }
}
