/** The editor, when it has been loaded. */
import { Spinner } from '@cloudscape-design/components'
import { lazy, Suspense } from 'react'
import type { EditorProps } from './Editor'

const Editor = lazy(() => import('./Editor'))

export const LazyEditor = (props: EditorProps) => (
  <Suspense fallback={<Spinner />}>
    <Editor {...props} />
  </Suspense>
)
