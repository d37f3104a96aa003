import { killTests } from './kill.ts'
import { transferStories } from './stories.ts'

killTests(transferStories)
