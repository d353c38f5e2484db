"""REINFORCE: a network learns to balance a pole on a cart, from rewards alone.

One step is one episode. The loss is the mean of -log p(action) times what was earned after it, above what is usual.

python -m pullback run policy_gradient.py [episodes]
"""

import sys

import numpy as np
import tensorflow as tf

episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 120
gamma, longest = 0.97, 200


class CartPole:
    """A pole of 1 m and 0.1 kg on a cart of 1 kg that is pushed left or right with 10 N, fifty times a second."""

    def __init__(self, seed):
        self.rng = np.random.RandomState(seed)

    def reset(self):
        self.state = self.rng.uniform(-0.05, 0.05, 4)
        return self.state

    def step(self, action):
        _, speed, angle, turn = self.state
        force, total, moment = (10.0 if action else -10.0), 1.1, 0.1 * 0.5
        push = (force + moment * turn**2 * np.sin(angle)) / total
        bend = (9.8 * np.sin(angle) - np.cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / total))
        slide = push - moment * bend * np.cos(angle) / total
        self.state = self.state + 0.02 * np.array([speed, slide, turn, bend])
        return self.state, 1.0, abs(self.state[0]) > 2.4 or abs(self.state[2]) > 0.21


def discounted(rewards):
    """What each step's action earned from then on."""
    out, running = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + gamma * running
        out[t] = running
    return out


class PolicyGradient:
    def __init__(self, n_features, n_actions):
        self.obs = tf.placeholder(tf.float32, [None, n_features], name="observations")
        self.acts = tf.placeholder(tf.int32, [None], name="actions_num")
        self.vt = tf.placeholder(tf.float32, [None], name="actions_value")
        with tf.variable_scope("policy"):
            w1 = tf.get_variable("w1", [n_features, 16], initializer=tf.random_normal_initializer(0.0, 0.3, seed=1))
            b1 = tf.get_variable("b1", [16], initializer=tf.constant_initializer(0.1))
            w2 = tf.get_variable("w2", [16, n_actions], initializer=tf.random_normal_initializer(0.0, 0.3, seed=2))
            b2 = tf.get_variable("b2", [n_actions], initializer=tf.constant_initializer(0.1))
            logits = tf.matmul(tf.tanh(tf.matmul(self.obs, w1) + b1), w2) + b2
        self.act_prob = tf.nn.softmax(logits, name="act_prob")
        log_prob = tf.reduce_sum(tf.log(self.act_prob) * tf.one_hot(self.acts, n_actions), axis=1)
        self.loss = -tf.reduce_mean(log_prob * tf.stop_gradient(self.vt))
        self.train_op = tf.train.AdamOptimizer(0.02).minimize(self.loss)


env, dice = CartPole(seed=0), np.random.RandomState(1)
policy = PolicyGradient(4, 2)
lengths, baseline = [], 0.0
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for episode in range(episodes):
        observation = env.reset()
        observations, actions, rewards = [], [], []
        for _ in range(longest):
            prob = sess.run(policy.act_prob, {policy.obs: observation[np.newaxis, :]})
            action = int(dice.uniform() < prob[0, 1])
            observations.append(observation)
            actions.append(action)
            observation, reward, done = env.step(action)
            rewards.append(reward)
            if done:
                break
        earned = discounted(rewards)
        fed = {policy.obs: np.vstack(observations), policy.acts: actions, policy.vt: (earned - baseline) / 10}
        _, loss = sess.run([policy.train_op, policy.loss], feed_dict=fed)
        baseline += 0.1 * (earned.mean() - baseline)
        lengths.append(len(rewards))
        print("step %d  length %d  loss %.9g" % (episode, len(rewards), loss))
print("balanced at first %.1f  at last %.1f" % (np.mean(lengths[:10]), np.mean(lengths[-10:])))
