/** An editor for scripts and documents. Loaded when a page first shows one; it needs nothing from elsewhere and runs no script of others. */
import CodeEditor, { type CodeEditorProps } from '@cloudscape-design/components/code-editor'
import ace from 'ace-builds/src-noconflict/ace'
import 'ace-builds/src-noconflict/ext-language_tools'
import 'ace-builds/src-noconflict/ext-searchbox'
import 'ace-builds/src-noconflict/mode-json'
import 'ace-builds/src-noconflict/mode-sh'
import 'ace-builds/src-noconflict/snippets/json'
import 'ace-builds/src-noconflict/snippets/sh'
import 'ace-builds/src-noconflict/theme-cloud_editor'
import 'ace-builds/src-noconflict/theme-cloud_editor_dark'
import { useState } from 'react'

// A worker would be script from a blob: address, which the page's policy does not allow.
ace.config.setDefaultValue('session', 'useWorker', false)
// A line at column 80 is of no use in a policy or a script.
ace.config.setDefaultValue('renderer', 'showPrintMargin', false)
ace.config.set('basePath', '/assets')

const THEMES = { light: ['cloud_editor'], dark: ['cloud_editor_dark'] } as const
export type EditorProps = { value: string; language: 'sh' | 'json'; label: string; onChange(value: string): void }

export default function Editor({ value, language, label, onChange }: EditorProps) {
  const [preferences, setPreferences] = useState<Partial<CodeEditorProps.Preferences>>({ wrapLines: true })
  const [height, setHeight] = useState(320)
  return (
    <CodeEditor
      ace={ace}
      language={language}
      languageLabel={language === 'sh' ? 'Bash' : 'JSON'}
      value={value}
      ariaLabel={label}
      editorContentHeight={height}
      onEditorContentResize={({ detail }) => setHeight(detail.height)}
      preferences={preferences}
      onPreferencesChange={({ detail }) => setPreferences(detail)}
      themes={THEMES}
      onDelayedChange={({ detail }) => onChange(detail.value)}
    />
  )
}
