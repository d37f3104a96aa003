/** Which page the address names. Links are plain addresses, so that they can be copied, opened in new tabs and gone back from. */
import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
const changed = (): void => {
  for (const listener of listeners) listener()
}
window.addEventListener('popstate', changed)

export function go(href: string): void {
  if (href !== location.pathname + location.search) history.pushState(null, '', href)
  changed()
  document.querySelector('main')?.scrollTo(0, 0)
  window.scrollTo(0, 0)
}

/** The same page with another query, such as the tab that is open: nothing to go back to. */
export function stay(query: string): void {
  history.replaceState(null, '', location.pathname + query)
  changed()
}

export function usePath(): string {
  return useSyncExternalStore(
    callback => {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    () => location.pathname + location.search,
  )
}

/** For Cloudscape's onFollow: stays in the page where a plain click asks for a page of ours. */
export function follow(event: { preventDefault(): void; detail: { href?: string; external?: boolean } }): void {
  const { href, external } = event.detail
  if (!href?.startsWith('/') || external) return
  event.preventDefault()
  go(href)
}
