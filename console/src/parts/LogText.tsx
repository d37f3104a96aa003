/** What a machine has printed, its newest lines in sight while it goes on. */
import { Box } from '@cloudscape-design/components'
import { useEffect, useRef } from 'react'
import { t } from '../i18n/text'

export function LogText({ text, label, height = '24rem' }: { text: string; label: string; height?: string }) {
  const box = useRef<HTMLPreElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  return (
    <Box variant="code" display="block">
      <pre
        ref={box}
        role="region"
        aria-label={label}
        className="log"
        style={{ maxHeight: height }}
        tabIndex={0}
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollTop + at.clientHeight >= at.scrollHeight - 20
        }}
      >
        {text || t('logs.none')}
      </pre>
    </Box>
  )
}
