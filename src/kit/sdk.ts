/**
 * Loads the schemas of an SDK client without the client: half of the memory and of the time.
 *
 * Invariant: the whole client and this give the same operations and errors. A package's schemas stand in its ES modules,
 * which are written for bundlers (no extensions, no `"type": "module"`); for one import Node is told how to read them.
 */
import { registerHooks } from 'node:module'

/** The schemas of `@aws-sdk/client-<name>`, for operationsOf and errorsOf. */
export async function loadSdk(name: string): Promise<object> {
  const schemas = import.meta.resolve(`@aws-sdk/client-${name}/dist-es/schemas/schemas_0.js`)
  const modules = new URL('..', schemas).href
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const bare = context.parentURL?.startsWith(modules) && specifier.startsWith('.') && !specifier.endsWith('.js')
      return next(bare ? `${specifier}.js` : specifier, context)
    },
    load: (url, context, next) => next(url, url.startsWith(modules) ? { ...context, format: 'module' } : context),
  })
  try {
    return await import(schemas) as object
  } finally {
    hooks.deregister()
  }
}
