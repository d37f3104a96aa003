/** The fields of a form that is data. */
import { Checkbox, FormField, Input, SpaceBetween, Spinner, Textarea } from '@cloudscape-design/components'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { t } from '../i18n/text'
import type { Field, Item, Values } from '../resources/kinds'
import { Chooser } from './Chooser'
import { LazyEditor } from './LazyEditor'
import { TextFile } from './TextFile'

/** Loaded with the first form that asks for a moment: calendars are large. */
const Moment = lazy(() => import('./Moment'))

const emptyOf = ({ kind, options, optional }: Field): any => {
  if (kind === 'bool') return false
  if (kind === 'many') return []
  return kind === 'select' && options && !optional ? options[0]! : ''
}
export const startOf = (fields: readonly Field[]): Values => Object.fromEntries(fields.map(f => [f.name, f.value ?? emptyOf(f)]))
export const missingIn = (fields: readonly Field[], values: Values): string[] =>
  fields.filter(f => !f.optional && f.kind !== 'bool' && (f.when?.(values) ?? true) && String(values[f.name] ?? '').trim() === '').map(f => f.name)

const labelOf = ({ label, optional }: Field): ReactNode =>
  optional ? (
    <>
      {t(label)} <i>– {t('field.optional')}</i>
    </>
  ) : (
    t(label)
  )

type Props = {
  fields: readonly Field[]
  values: Values
  missing: readonly string[]
  /** What the form is about. */
  of?: Item
  /** Changes add up: lists that come at once each choose their first. */
  onChange(change: (before: Values) => Values): void
}

const TYPES: Partial<Record<NonNullable<Field['kind']>, 'number' | 'password'>> = { number: 'number', secret: 'password' }

export function Fields({ fields, values, missing, of, onChange }: Props) {
  const [chosen, setChosen] = useState<Record<string, Item | undefined>>({})
  const control = (field: Field, set: (value: unknown) => void): ReactNode => {
    const value = String(values[field.name] ?? '')
    switch (field.kind) {
      case 'select':
      case 'many':
        return (
          <Chooser
            field={field}
            value={values[field.name] ?? emptyOf(field)}
            around={{ of, chosen, values }}
            onChange={set}
            onChosen={item => setChosen(before => ({ ...before, [field.name]: item }))}
          />
        )
      case 'json':
        return <LazyEditor value={value} language="json" label={t(field.label)} onChange={set} />
      case 'area':
        return <Textarea value={value} rows={6} onChange={({ detail }) => set(detail.value)} />
      case 'file':
        return <TextFile value={value} onChange={set} />
      case 'moment':
        return (
          <Suspense fallback={<Spinner />}>
            <Moment value={value} onChange={set} />
          </Suspense>
        )
      default:
        return <Input value={value} type={TYPES[field.kind ?? 'text']} onChange={({ detail }) => set(detail.value)} />
    }
  }
  const fieldOf = (field: Field) => {
    const set = (value: unknown): void => onChange(before => ({ ...before, [field.name]: value, ...(of && field.sets?.(String(value), of)) }))
    const hint = field.hint && t(field.hint)
    if (field.kind === 'bool') {
      return (
        <Checkbox key={field.name} checked={values[field.name] === true} onChange={({ detail }) => set(detail.checked)} description={hint}>
          {t(field.label)}
        </Checkbox>
      )
    }
    const wrong = missing.includes(field.name) ? 'error.required' : field.wrong?.(values[field.name])
    const error = wrong && t(wrong)
    return (
      <FormField key={field.name} label={labelOf(field)} description={hint} stretch={field.kind === 'json'} errorText={error}>
        {control(field, set)}
      </FormField>
    )
  }
  return <SpaceBetween size="l">{fields.filter(f => f.when?.(values) ?? true).map(fieldOf)}</SpaceBetween>
}
