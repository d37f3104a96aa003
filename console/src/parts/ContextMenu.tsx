/** The actions of a row at the pointer, as a right click opens them. The button above the table offers the same to the keyboard. */
import { useEffect, useRef } from 'react'
import { createPortal } from 'react-dom'
import { t } from '../i18n/text'
import type { Action } from '../resources/kinds'

export type At = { x: number; y: number }
type Props = { at: At; actions: { action: Action; possible: boolean }[]; onChoose(action: Action): void; onClose(): void }

/** As in the style sheet. */
const EDGE = 8

export function ContextMenu({ at, actions, onChoose, onClose }: Props) {
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const away = (event: Event): void => {
      if (!menu.current?.contains(event.target as Node)) onClose()
    }
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onClose()
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      if (step === undefined) return
      event.preventDefault()
      const items = [...menu.current!.querySelectorAll<HTMLElement>('button:not(:disabled)')]
      items[(items.indexOf(document.activeElement as HTMLElement) + step + items.length) % items.length]?.focus()
    }
    menu.current?.querySelector<HTMLElement>('button:not(:disabled)')?.focus()
    document.addEventListener('pointerdown', away)
    document.addEventListener('keydown', key)
    return () => {
      document.removeEventListener('pointerdown', away)
      document.removeEventListener('keydown', key)
    }
  }, [])
  // Where there is no room for all of it, it begins at the window's edge and scrolls.
  const top = Math.max(EDGE, Math.min(at.y, window.innerHeight - actions.length * 36 - 2 * EDGE))
  // At the document's end: nothing of the page may lie over it.
  return createPortal(
    <div ref={menu} role="menu" aria-label={t('do.actions')} className="context-menu" style={{ left: Math.min(at.x, window.innerWidth - 340), top }}>
      {actions.map(({ action, possible }) => (
        <button
          key={action.id}
          type="button"
          role="menuitem"
          disabled={!possible}
          onClick={() => {
            onClose()
            onChoose(action)
          }}
        >
          {t(action.label)}
        </button>
      ))}
    </div>,
    document.body,
  )
}
