/** One component and nothing else, as a program of a user's would make it. */
import * as pulumi from '@pulumi/pulumi'
import { type ComponentName, make } from './components.ts'

const config = new pulumi.Config()
make(config.require<ComponentName>('component'), 'alone', config.requireObject('args'))
