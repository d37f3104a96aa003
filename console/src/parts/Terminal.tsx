/** A terminal in the page: xterm.js over the door's WebSocket. */
import '@xterm/xterm/css/xterm.css'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal as Xterm } from '@xterm/xterm'
import { useEffect, useRef } from 'react'
import { currentRegion } from '../api/call'
import { t } from '../i18n/text'

type Props = { kind: 'instance-connect' | 'session' | 'serial'; instance: string; user: string; onLeave(): void; onEnd(message: string): void }

export default function Terminal({ kind, instance, user, onLeave, onEnd }: Props) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const term = new Xterm({
      cursorBlink: true,
      fontFamily: 'Menlo, Consolas, "DejaVu Sans Mono", monospace',
      fontSize: 14,
      screenReaderMode: true,
      theme: { background: '#0f141a' },
    })
    // Tab is the guest's: without a way out of it the terminal would hold the keyboard for good.
    term.attachCustomKeyEventHandler(event => {
      if (!(event.ctrlKey && event.shiftKey && event.key === 'ArrowUp')) return true
      if (event.type === 'keydown') onLeave()
      return false
    })
    const fit = new FitAddon()
    term.loadAddon(fit)
    term.open(place.current!)
    fit.fit()
    const query = new URLSearchParams({ kind, instance, user, region: currentRegion(), cols: String(term.cols), rows: String(term.rows) })
    const socket = new WebSocket(`ws://${location.host}/_console/terminal?${query}`)
    socket.binaryType = 'arraybuffer'
    let message = ''
    let left = false
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== 'string') return term.write(new Uint8Array(data))
      const told = JSON.parse(data) as { error?: string }
      if (told.error) message = told.error
    }
    socket.onclose = () => {
      if (!left) onEnd(message)
    }
    const typed = term.onData(data => {
      if (socket.readyState === WebSocket.OPEN) socket.send(new TextEncoder().encode(data))
    })
    const sized = term.onResize(({ cols, rows }) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ cols, rows }))
    })
    const observer = new ResizeObserver(() => fit.fit())
    observer.observe(place.current!)
    term.focus()
    return () => {
      left = true
      observer.disconnect()
      typed.dispose()
      sized.dispose()
      socket.close()
      term.dispose()
    }
  }, [])
  return (
    <div
      ref={place}
      role="region"
      aria-label={t('connect.terminal')}
      style={{ height: '28rem', background: '#0f141a', padding: '8px', borderRadius: '8px' }}
    />
  )
}
