/** Ace's parts as they are bundled: each registers itself. */
declare module 'ace-builds/src-noconflict/*' {
  const part: { config: { set(name: string, value: string): void; setDefaultValue(path: string, name: string, value: unknown): void } }
  export default part
}
