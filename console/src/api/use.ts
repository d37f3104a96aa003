/** Loading for components: what is shown follows the server's events; a later answer is never overtaken by an earlier one. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { call, listAll, wordsOf, type Answer, type Input, type Service } from './call'
import { instancesOf } from '../resources/choices'
import { onChange } from './live'

/** `lacking`: what else there may be that could not be read, and why. */
export type Loaded<T> = { data: T | undefined; error: string | undefined; lacking?: string; loading: boolean; reload(): void }

/** What is loaded in parts shows its first parts until all are there; later loads replace the whole. */
type Load<T> = (onPart: (data: T) => void, onLack: (words: string) => void) => Promise<T>

/** Loads at once, and again whenever one of these kinds changes. Nothing is loaded while `load` is undefined. */
export function useLoaded<T>(load: Load<T> | undefined, kinds: readonly string[], key: string): Loaded<T> {
  type State = { data?: T; error?: string; lacking?: string; loading: boolean; whole?: boolean }
  const [state, setState] = useState<State>({ loading: load !== undefined })
  const turn = useRef(0)
  const run = useRef(load)
  run.current = load
  const busy = useRef(false)
  const again = useRef(false)
  const reload = useCallback(async () => {
    if (!run.current) return
    if (busy.current) {
      again.current = true
      return
    }
    busy.current = true
    const mine = ++turn.current
    setState(before => ({ ...before, loading: true }))
    try {
      let lacking: string | undefined
      const onPart = (part: T): void => {
        if (mine === turn.current) setState(before => (before.whole ? before : { data: part, loading: true }))
      }
      const data = await run.current(onPart, words => {
        lacking = words
      })
      if (mine === turn.current) setState({ data, lacking, loading: false, whole: true })
    } catch (error) {
      if (mine === turn.current) setState(before => ({ ...before, error: wordsOf(error), loading: false }))
    } finally {
      busy.current = false
      if (again.current) {
        again.current = false
        void reload()
      }
    }
  }, [])
  useEffect(() => {
    busy.current = false
    setState({ loading: run.current !== undefined })
    void reload()
    const watched = kinds.join()
    const end = onChange(changed => {
      if (changed === 'all' || watched.split(',').some(kind => changed.has(kind))) void reload()
    })
    return () => {
      turn.current++
      end()
    }
  }, [key, reload])
  return { data: state.data, error: state.error, lacking: state.lacking, loading: state.loading, reload }
}

export const useList = (
  service: Service,
  operation: string,
  member: string,
  options: { kinds?: readonly string[]; input?: Input; off?: boolean } = {},
): Loaded<any[]> => {
  const { kinds = [], input = {}, off = false } = options
  return useLoaded(off ? undefined : () => listAll(service, operation, member, input), kinds, JSON.stringify([service, operation, input, off]))
}
export const useAnswer = (service: Service, operation: string, input: Input = {}, kinds: readonly string[] = []): Loaded<Answer> =>
  useLoaded(() => call(service, operation, input), kinds, JSON.stringify([service, operation, input]))

/** Instances, out of their reservations. */
export const useInstances = (input: Input = {}): Loaded<any[]> =>
  useLoaded(
    async () => instancesOf(await listAll('ec2', 'DescribeInstances', 'Reservations', input)),
    ['instance', 'network-interface', 'volume', 'elastic-ip'],
    JSON.stringify(['instances', input]),
  )
