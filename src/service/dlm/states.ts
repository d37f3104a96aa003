/** In which states a lifecycle policy can be switched which way: what would change nothing is not offered (API Reference, LifecyclePolicy). */
export const policies = { enable: ['DISABLED', 'ERROR'], disable: ['ENABLED', 'ERROR'] } as const satisfies Record<string, readonly string[]>
