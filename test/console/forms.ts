/** Every form and every question of the built listings, filled in as readers may, as the calls that they would make. Run in the page. */
import { globSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { buildConsole } from '#launch/console'
import type { Preview } from '../../console/src/api/preview.ts'

export type Ask = (service: string, operation: string, input: object) => Promise<any>
type From = { service: string; operation: string; member: string; input: object }
/** A listing, and what its forms choose from. */
type Found = From & { path: string; chosen: From[] }
export type Asked = Preview & { at: string }

/** What a text may hold that a shell or a program might take for its own. */
const ODD = `it's "one" – $HOME \`é\` \\ two`
/** What the CLI looks at before it sends it. */
const FIT: Record<string, string> = {
  '/s3/buckets name': 'homework', '/iam/identity-providers thumbprints': 'a'.repeat(40), '/vpc/network-acls ports': '80-90',
  '/s3/buckets cors': '[{"AllowedOrigins":["https://shop.example"],"AllowedMethods":["GET"]}]',
}

// A chunk that others share hands out its area as an object of its exports.
/** The listings that the built page has, and what their forms would look up. */
async function listings(page: Page, files: string[]): Promise<Found[]> {
  return page.evaluate(async names => {
    const modules = await Promise.all(names.map(name => import(`/${name}`)))
    const listed = modules.flatMap(one => Object.values(one)).flatMap((one: any) => one?.resources ?? one)
    const all: any[] = listed.filter(one => one?.path && one.columns)
    const fieldsOf = (one: any) => [one.create?.form, ...(one.actions ?? []).map((action: any) => action.form)].flatMap(form => form?.fields ?? [])
    const plain = ({ service = 'ec2', operation, member, input = {} }: any) => ({ service, operation, member, input })
    return all.map(one => ({ ...plain(one), path: one.path, chosen: fieldsOf(one).filter((f: any) => f.from).map((f: any) => plain(f.from)) }))
  }, files)
}

const keyOf = ({ service, operation, input }: From): string => JSON.stringify([service, operation, input])

/** All calls that the forms and questions would make of what there is; `silent`: the actions of which there was nothing to make a call of. */
export type Forms = { calls: Asked[]; silent: string[] }
export async function callsOfForms(page: Page, ask: Ask): Promise<Forms> {
  const files = globSync('assets/*.js', { cwd: await buildConsole() }).filter(name => AREAS.test(name))
  const found = await listings(page, files)
  const answers: Record<string, any[]> = {}
  for (const from of found.flatMap(one => [one, ...one.chosen]))
    answers[keyOf(from)] ??= (await ask(from.service, from.operation, from.input))[from.member] ?? []
  return page.evaluate(fillAll, { files, answers, odd: ODD, fit: FIT })
}
const AREAS = /\/(instances|templates|storage|network|vpc|types|lifecycle|buckets|account|events|alarms|settings)-/

type Given = { files: string[]; answers: Record<string, any[]>; odd: string; fit: Record<string, string> }

/** In the page, with nothing from outside: fills each form with its defaults, then with each of its choices, then with all that may be given. */
async function fillAll({ files, answers, odd, fit }: Given): Promise<Forms> {
  const modules = await Promise.all(files.map(name => import(`/${name}`)))
  const listed = modules.flatMap(one => Object.values(one)).flatMap((one: any) => one?.resources ?? one)
  const all: any[] = listed.filter(one => one?.path && one.columns)
  /** What lists of choices that are no one listing loaded. */
  const loaded = new Map<object, any[]>()
  const look = (from: any): any[] => loaded.get(from) ?? answers[JSON.stringify([from.service ?? 'ec2', from.operation, from.input ?? {}])] ?? []
  const rowsOf = (from: any): any[] => (from.rows ?? ((items: any[]) => items))(look(from))
  /** What each list of a form offers for a thing, once what stands before it has been chosen. */
  const choicesOf = (fields: any[], of: any): Map<string, string[]> => {
    const chosen: Record<string, any> = {}
    const values = Object.fromEntries(fields.map(({ name, options }) => [name, options?.[0]]))
    return new Map(fields.map(({ name, options, from, own }) => {
      if (!from) return [name, (of && own?.(of).map((one: any) => one.value)) ?? options ?? []]
      const rows = rowsOf(from).filter(row => from.keep?.(row, { of, chosen, values }) ?? true)
      chosen[name] = rows[0]
      return [name, rows.slice(0, 2).map(from.value)]
    }))
  }
  const samples = (path: string, field: any, choices: string[]): any[] => {
    const own = fit[`${path} ${field.name}`]
    if (own) return [own]
    const some = choices.length > 0 ? choices : ['chosen-0']
    switch (field.kind) {
      case 'bool': return [true, false]
      case 'select': return some
      case 'many': return [some, some.slice(0, 1), ...(field.optional ? [[]] : [])]
      case 'number': return [field.value || '3']
      case 'moment': return ['2030-01-31T09:30']
      case 'json': return [field.value || '{"Version":"2012-10-17"}']
      case 'area': return [field.value || `192.0.2.0/24\n${odd}`]
      default: return [field.value || odd]
    }
  }
  const fillings = (path: string, fields: any[], item: any, now: object): object[] => {
    const choices = choicesOf(fields, item)
    const of = (field: any): any[] => samples(path, field, choices.get(field.name)!)
    const empty = (f: any): any => f.kind === 'many' ? [] : ''
    const base = Object.fromEntries(fields.map(f => [f.name, f.optional ? empty(f) : f.kind === 'bool' ? (f.value ?? false) : of(f)[0]]))
    const whole = Object.fromEntries(fields.map(f => [f.name, of(f)[0]]))
    return [{ ...now, ...base }, { ...base, ...now }, ...fields.flatMap(f => of(f).map(value => ({ ...now, ...whole, [f.name]: value })))]
  }
  const calls: Asked[] = []
  // One of each shape: which of two volumes is named makes no other command.
  const shapes = new Set<string>()
  const add = (at: string, service: string, operation: string, input: object): void => {
    const made = { at, service, operation, input } as Asked
    const plain = (_: string, value: unknown): unknown => (typeof value === 'string' || typeof value === 'number' ? typeof value : value)
    const shape = `${at} ${operation} ${JSON.stringify(input, plain)}`
    if (!shapes.has(shape)) calls.push(made)
    shapes.add(shape)
  }
  for (const one of all) {
    const [rows, more] = [one.load ? await one.load() : (one.rows ?? ((all: any[]) => all))(look(one)), await one.also?.()]
    const items = rows.map((row: any) => ({ ...row, ...more?.get(one.id(row)) }))
    const forms = [one.create?.form && { id: 'create', form: one.create.form }, ...(one.actions ?? [])].filter(action => action?.form)
    for (const { id, form, enabled } of forms) {
      for (const { from } of form.fields) if (from?.load) loaded.set(from, await from.load())
      const able = id === 'create' ? [undefined] : items.filter((row: any) => enabled?.(row) ?? true)
      for (const item of able) {
        const now = item && form.start ? await form.start(item) : {}
        for (const values of fillings(one.path, form.fields, item, now)) {
          const made = form.calls ? form.calls(values, item) : [{ operation: form.operation, input: form.input(values, item) }]
          for (const { operation, input } of made) add(`${one.path} ${id}`, one.service, operation, input)
        }
      }
    }
    for (const action of (one.actions ?? []).filter((a: any) => a.operation && !a.form)) {
      const able = items.filter((row: any) => action.enabled?.(row) ?? true).slice(0, 2)
      const inputs = action.all ? [able.slice(0, 1), able].filter(list => list.length > 0).map(action.all) : able.map(action.each)
      for (const input of inputs) add(`${one.path} ${action.id}`, one.service, action.operation, input)
    }
  }
  const actions = all.flatMap(one => [one.create?.form && { id: 'create' }, ...(one.actions ?? [])].filter(Boolean).map(({ id, href }) => (
    href ? '' : `${one.path} ${id}`
  )))
  return { calls, silent: actions.filter(at => at !== '' && !calls.some(one => one.at === at)) }
}
