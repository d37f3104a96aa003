import { killTests } from './kill.ts'
import { machineStories } from './stories.ts'

killTests(machineStories)
